"""Compiled code that workers are lent: where it comes from, and that what is done to it stays there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm._jit import cache_folder
from coinswarm_testkit.compiled import lent
from coinswarm_testkit.remote import CACHE

if TYPE_CHECKING:
    import pytest


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
        assert {"kernel", "columns", "indicators"} <= {path.name.partition(".")[0] for path in made}
        assert held(copy) == made
        for path in copy.rglob("*.nb[ic]"):
            path.write_bytes(b"another")
    assert not copy.exists()
    with lent(lambda: told.append("again")) as variables:
        assert held(Path(variables[CACHE])) == made
    assert told == ["compiling"]
