"""Compiled code that workers are lent: where it comes from, and that what is done to it stays there."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm._jit import cache_folder
from coinswarm_testkit.compiled import lent
from coinswarm_testkit.starting import CACHE

if TYPE_CHECKING:
    import pytest


FEW = """\
import json, sys
sys.path.extend(json.loads(sys.argv.pop(1)))
from coinswarm.indicators import sma
sma([1.0, 2.0], 1)
"""
"""Compiles one indicator alone, which takes less than all."""


def held(folder: Path) -> dict[Path, bytes]:
    """All compiled code in a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.nb[ic]")}


def test_it_is_made_where_there_is_none_and_lent_as_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every run of the gate would compile anew, which nothing but time would tell."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = cache_folder()
    told: list[str] = []
    with lent(lambda: told.append("compiling")) as variables:
        copy = Path(variables[CACHE])
        made = held(kept)
        assert {"loop", "columns", "indicators"} <= {path.name.partition(".")[0] for path in made}
        assert held(copy) == made
        for path in copy.rglob("*.nb[ic]"):
            path.write_bytes(b"another")
    assert not copy.exists()
    with lent(lambda: told.append("again")) as variables:
        assert held(Path(variables[CACHE])) == made
    assert told == ["compiling"]


def test_what_is_not_all_there_is_made_whole_by_whoever_interprets_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who ran a backtest has some of it; a judge that compiles nothing itself must not keep others from it."""
    monkeypatch.setattr("coinswarm_testkit.compiled._START", FEW)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    kept, told = cache_folder(), []
    (kept / "some").mkdir()
    (kept / "some" / "loop.run-1.py311.1.nbc").write_bytes(b"some")
    with lent(lambda: told.append("compiling")) as variables:
        assert {path.name.partition(".")[0] for path in held(Path(variables[CACHE]))} == {"loop", "indicators"}
    with lent(lambda: told.append("again")):
        pass
    assert told == ["compiling"]


def test_what_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinswarm_testkit.compiled._START", "raise SystemExit(1)")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told: list[str] = []
    for word in ("first", "second"):
        with lent(partial(told.append, word)) as variables:
            assert not held(Path(variables[CACHE]))
    assert told == ["first", "second"]
