"""What happens around a command: Ctrl-C, a reader that leaves, a cache that cannot be kept, two at once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

Shell = Any
Install = Any

WAITING = """
import signal, sys
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import HOLD

class Fake(SignalAgent):
    seen = 0

    def decide(self, state):
        self.seen += 1
        if self.seen == {bar}:
            print("deciding", file=sys.stderr, flush=True)
            {then}
        return HOLD
"""
HELD = "sys.stdin.readline()"
"""The agent holds the run in its middle until a line comes; nothing is timed."""

COMMANDS = {
    "backtest": ["backtest", "--profile", "p.toml"],
    "backtest by steps": ["backtest", "--profile", "p.toml", "--engine", "steps"],
    "trade": ["trade", "--profile", "paper.toml", "--replay", "wave.csv"],
}


@pytest.fixture
def waiting(shell: Shell, plugin: Install) -> Callable[[str], None]:
    """Profiles whose only agent stops at bar 300."""

    def install(then: str) -> None:
        plugin("waiting", WAITING.format(bar=300, then=then))
        profile = shell.profile("p.toml", "wave.csv", plugins='["waiting"]')
        text = profile.read_text()
        first, second = text.index("[[agents]]"), text.rindex("[[agents]]")
        agents = '[[agents]]\nname = "waiting"\nweight_bp = 10_000\n\n'
        text = text[:first] + agents + text[text.index("[committee]", second) :]
        profile.write_text(text)
        shell.write("paper.toml", text.replace('mode = "backtest"', 'mode = "paper"').replace("file =", "# file ="))

    return install


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_leaves_no_half_written_run(shell: Shell, waiting: Any, name: str) -> None:  # noqa: ANN401
    """From outside, while an agent decides. A session ends when the agent has answered, a backtest at once."""
    waiting(HELD)
    with shell.start(*COMMANDS[name]) as process:
        assert process.stderr.readline() == "deciding\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate("\n", timeout=100)
    assert err.strip() == "coinswarm: interrupted", "click ends the line that ^C stands on"
    assert out == ""
    assert process.returncode == 130
    assert list((shell.folder / "runs").iterdir()) == [], "not even the folder it was being written in"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_second_ctrl_c_does_not_wait_for_the_agent(shell: Shell, waiting: Any, name: str) -> None:  # noqa: ANN401
    waiting("[signal.raise_signal(signal.SIGINT) for _ in range(2)]; sys.exit('went on')")
    done = shell.run(*COMMANDS[name], code=130)
    assert done.stderr.split() == ["deciding", "coinswarm:", "interrupted"]
    assert done.stdout == ""
    assert list((shell.folder / "runs").iterdir()) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_an_agent_that_exits_does_not_end_the_command_in_silence(shell: Shell, waiting: Any, name: str) -> None:  # noqa: ANN401
    waiting("sys.exit(0)")
    done = shell.run(*COMMANDS[name], code=3)
    assert done.stderr == ("deciding\ncoinswarm: error: a plugin called sys.exit(0): coinswarm --debug … shows which\n")
    assert list((shell.folder / "runs").iterdir()) == []


def test_a_killed_command_leaves_at_most_what_no_one_takes_for_a_run(shell: Shell, waiting: Any) -> None:  # noqa: ANN401
    waiting("signal.raise_signal(signal.SIGKILL)")
    done = shell.run(*COMMANDS["backtest"], code=None)
    assert done.returncode == -signal.SIGKILL
    assert "there is no run in runs" in shell.run("replay", code=2).stderr


def test_a_reader_that_leaves_is_no_error(shell: Shell) -> None:
    process = subprocess.Popen(
        [shell.command, "demo", "--json"],
        cwd=shell.folder,
        env=shell.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before a word is said: what `| head -0` does at worst
        said = process.stderr.read()
    assert said == b""
    assert process.returncode == 1
    assert shell.leftovers() == []
    assert len(list((shell.folder / "runs").iterdir())) == 1, "the run itself was written"


def test_output_may_be_closed_from_the_start(shell: Shell) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" backtest --profile p.toml >&-', shell.command],
        cwd=shell.profile("p.toml", "wave.csv").parent,
        env=shell.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert len(list((shell.folder / "runs").iterdir())) == 1


def test_the_first_line_alone_may_be_read(shell: Shell) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" backtest --profile p.toml | head -1', shell.command],
        cwd=shell.profile("p.toml", "wave.csv").parent,
        env=shell.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_without_a_place_for_compiled_code_it_says_so_once_and_works(shell: Shell) -> None:
    """A file where the folder should be: no user, root included, can write there. Compiles nothing of size."""
    shell.write("occupied", "")
    shell.env.pop("NUMBA_CACHE_DIR")
    interpreted = {"NUMBA_DISABLE_JIT": "1", "XDG_CACHE_HOME": str(shell.folder / "occupied")}
    profile = shell.profile("p.toml", "wave.csv")
    told = shell.run("backtest", "--profile", profile, "--json", "--no-save", **interpreted)
    assert told.stderr.count("compiled code cannot be kept") == 1
    assert "set XDG_CACHE_HOME" in told.stderr
    cached = shell.run("backtest", "--profile", profile, "--json", "--no-save", NUMBA_CACHE_DIR=_cache())
    assert cached.stderr == ""
    assert json.loads(told.stdout)["order_hash"] == json.loads(cached.stdout)["order_hash"]


def _cache() -> str:
    """Where this process keeps compiled code."""
    return os.environ["NUMBA_CACHE_DIR"]


def test_two_at_once_in_one_folder_are_two_runs(shell: Shell, waiting: Any) -> None:  # noqa: ANN401
    """The second starts and ends while the first is in the middle of its run."""
    waiting(HELD)
    first = shell.start(*COMMANDS["backtest"], "--json")
    with first:
        assert first.stderr.readline() == "deciding\n"
        second = json.loads(shell.run("demo", "--json").stdout)
        assert shell.leftovers() == []
        out, err = first.communicate("\n", timeout=100)
    assert err == ""
    assert first.returncode == 0
    told = json.loads(out)
    assert {path.name for path in (shell.folder / "runs").iterdir()} == {told["run"], second["run"]}
    for run in (told, second):
        assert json.loads(Path(shell.folder / run["path"] / "run.json").read_text())["order_hash"] == run["order_hash"]


def test_two_demos_started_together_are_two_runs(shell: Shell) -> None:
    started = [shell.start("demo", "--json") for _ in range(2)]
    told = []
    for process in started:
        out, err = process.communicate(timeout=200)
        assert (process.returncode, err) == (0, "")
        told.append(json.loads(out))
    assert told[0]["order_hash"] == told[1]["order_hash"]
    assert told[0]["run"] != told[1]["run"]
    assert {path.name for path in (shell.folder / "runs").iterdir()} == {one["run"] for one in told}


FAULTS = {
    "constructor raises": (
        "def __init__(self): raise RuntimeError('no')",
        r"cannot be constructed \(RuntimeError: no\)",
    ),
    "constructor exits": ("def __init__(self): raise SystemExit(0)", r"cannot be constructed \(SystemExit: 0\)"),
    "warm-up raises": ("def warm_up(self): raise RuntimeError('no')", r"warm_up\(\) raised RuntimeError: no"),
    "warm-up is no number": ("def warm_up(self): return None", r"warm_up\(\) raised TypeError"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_plugin_is_its_authors_to_mend(shell: Shell, plugin: Install, name: str) -> None:
    body, said = FAULTS[name]
    plugin(
        "faulty",
        "from coinswarm.contracts import SignalAgent\nfrom coinswarm.domain.action import HOLD\n\n"
        f"class Fake(SignalAgent):\n    {body}\n    def decide(self, state): return HOLD\n",
    )
    done = shell.run(
        "backtest", "--profile", shell.profile("p.toml", "wave.csv"), "--set", 'plugins=["faulty"]',
        "--set", 'agents=[{name="faulty", weight_bp=10000}]', code=3,
    )  # fmt: skip
    assert done.stderr.count("\n") == 1
    assert "plugin 'faulty' (fake-faulty 1.0): fake_faulty.agent:Fake" in done.stderr
    assert re.search(said, done.stderr), done.stderr
    assert "its author must mend it" in done.stderr


def test_an_agent_that_raises_abstains_and_is_counted(shell: Shell, plugin: Install) -> None:
    plugin(
        "moody",
        "from coinswarm.contracts import SignalAgent\nfrom coinswarm.domain.action import Action, Side\n\n"
        "class Fake(SignalAgent):\n    def decide(self, state):\n"
        "        if state.index % 3 == 0: raise RuntimeError('mood')\n"
        "        return Action(Side.BUY if state.close > state.open else Side.FLAT, 1.0, 0.5, 5.0)\n",
    )
    args = ["--set", 'plugins=["moody"]', "--set", 'agents=[{name="moody", weight_bp=10000}]', "--json"]
    profile = shell.profile("p.toml", "wave.csv")
    told = [
        json.loads(shell.run("backtest", "--profile", profile, *args, "--engine", engine).stdout)
        for engine in ("columns", "steps")
    ]
    assert told[0]["order_hash"] == told[1]["order_hash"]
    for one in told:
        [line] = [line for line in (*one["notes"], *one["warnings"]) if "moody" in line]
        first = "RuntimeError: mood (bar of 2018-01-01T00:00:00Z)"
        assert line == f"moody failed 200 times, and abstained where it had to decide; first {first}"
