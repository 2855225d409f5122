"""Core's end of the gate: what it starts, and what it makes of the answers."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from coinswarm.errors import InvariantError, NotReadyError
from coinswarm.plugins import gate
from coinswarm.plugins.gate import GateError, check_testkit, dependencies, folders, modules, run_gate

Fakes = Any

TELLING = """\
import json, os, sys
sys.stdin.read()
print(json.dumps({"event": "verdict", "variables": dict(os.environ)}))
"""
"""What a judge does that tells which variables it sees."""


def test_the_testkit_is_there_and_is_what_was_installed() -> None:
    check_testkit()


def test_where_it_is_not_installed_one_line_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_PACKAGES", {"no-such-testkit": "no_such_testkit"})
    with pytest.raises(NotReadyError, match="no-such-testkit, which judges plugins, is not installed: pip install no-"):
        check_testkit()


def test_one_that_may_change_or_has_changed_judges_nobody(monkeypatch: pytest.MonkeyPatch, site: Fakes) -> None:
    site.add("judge", record=True)
    monkeypatch.setattr(gate, "_PACKAGES", {"fake-judge": "fake_judge"})
    check_testkit()
    (Path(site.folder) / "fake_judge" / "agent.py").write_text("x = 1\n")
    with pytest.raises(NotReadyError, match=r"is not what was installed: fake_judge/agent.py differs from what was"):
        check_testkit()
    info = Path(site.folder) / "fake_judge-1.0.dist-info"
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    with pytest.raises(NotReadyError, match="fake-judge is an editable install"):
        check_testkit()


def test_folders_are_those_of_distributions_ours_first(site: Fakes, tmp_path: Path) -> None:
    site.add("alpha", record=True)
    assert sys.path[0] == str(site.folder)
    found = folders()
    ours = str(Path(str(metadata.distribution("coinswarm-core").locate_file(""))).resolve())
    assert ours in found
    assert found.index(ours) < found.index(str(Path(site.folder).resolve()))
    assert str(tmp_path) not in found


def test_dependencies_are_all_that_it_needs_and_not_itself() -> None:
    found = dependencies("coinswarm-trend")
    assert {"coinswarm-core", "numpy", "pydantic", "llvmlite"} <= found.keys()
    assert "coinswarm-trend" not in found
    assert found["numpy"] == metadata.version("numpy")
    assert dependencies("no-such-distribution") == {}


def test_the_judge_may_load_what_it_needs_and_no_plugin() -> None:
    found = modules()
    assert {"coinswarm", "coinswarm_testkit", "numpy", "pydantic_core", "typing_extensions", "pytest"} <= {*found}
    assert not {"coinswarm_trend", "hypothesis", "mypy"} & {*found}


FENCED = """\
import importlib.util, sys
own = sys.path[:]
sys.path.append(sys.argv[1])
from coinswarm.plugins.fence import put_up
put_up(own, ["ours"])
import json, ours, ours.part
for name in ("theirs", "space", "space.part"):
    assert importlib.util.find_spec(name.partition(".")[0]) is not None, name
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        print(error)
"""


def test_others_are_found_and_not_loaded(tmp_path: Path) -> None:
    for name in ("ours/__init__.py", "ours/part.py", "theirs.py", "space/part.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    done = subprocess.run([sys.executable, "-c", FENCED, tmp_path], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"{name} is no module of core's, of the testkit's, or of what they need"
        for name in ("theirs", "space", "space")
    ]


def test_a_judgement_is_heard_as_it_goes() -> None:
    heard: list[dict[str, Any]] = []
    verdict = run_gate({"plugin": "trend", "tier": "bronze", "only": ["P30"]}, heard.append)
    found = [event["event"] for event in heard if event["event"] != "compiling"]  # which the first run of all does
    assert found == ["subject", "check", "outcome"]
    assert verdict["good"]
    assert verdict["uncertifiable"] == "only some checks were run"
    with pytest.raises(GateError, match="unknown plugin 'trnd': did you mean 'trend'") as caught:
        run_gate({"plugin": "trnd"}, heard.append)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("tier", "interpreted"), [("bronze", "1"), ("silver", "1"), ("gold", None)])
def test_a_judge_compiles_for_gold_alone(monkeypatch: pytest.MonkeyPatch, tier: str, interpreted: str | None) -> None:
    """What it runs below gold takes less than to compile it, which it would do in each run, as it keeps nothing."""
    monkeypatch.setattr(gate, "_START", TELLING)
    seen = run_gate({"plugin": "trend", "tier": tier}, lambda _event: None)["variables"]
    assert seen.get("NUMBA_DISABLE_JIT") == interpreted
    assert seen["NUMBA_CACHE_DIR"] == os.devnull


def test_a_judge_that_ends_without_a_verdict_is_a_fault_of_ours() -> None:
    with pytest.raises(InvariantError, match=r"the judge ended with code 1 and no verdict \(TypeError: .*no_such_word"):
        run_gate({"plugin": "trend", "no_such_word": 1}, lambda _event: None)


@pytest.mark.parametrize(
    ("lines", "good"),
    [(b"", None), (b'{"event": "check"}\n', None), (b'{"event": "verdict", "good": true}\n{"event": "check"}\n', True)],
)
def test_events_end_with_the_verdict(lines: bytes, good: object) -> None:
    found = gate._listen(io.BytesIO(lines), lambda _event: None)
    assert (found and found["good"]) == good
