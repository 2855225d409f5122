"""``coinswarm demo`` and ``backtest``: runs in processes of their own, from profile to run on disk."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.cli import main

if TYPE_CHECKING:
    from pathlib import Path

Shell = Any
HASH = re.compile(r"^Order hash +([0-9a-f]{64})$", re.MULTILINE)


def order_hash(out: str) -> str:
    """The order hash that a summary shows."""
    found = HASH.search(out)
    assert found, out
    return found.group(1)


@pytest.mark.integration
def test_two_demos_with_different_hash_seeds_give_the_same_order_hash(shell: Shell) -> None:
    first = shell.run("demo", PYTHONHASHSEED="1")
    second = shell.run("demo", PYTHONHASHSEED="2")
    assert first.stderr == second.stderr == ""
    assert order_hash(first.stdout) == order_hash(second.stdout)
    assert len(list((shell.folder / "runs").iterdir())) == 2
    assert shell.leftovers() == []

    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if "runs/" not in line and not line.startswith("Run ")]

    assert lines(first.stdout) == lines(second.stdout), "all else is the same too"


@pytest.mark.integration
def test_the_demo_bar_by_bar_gives_the_same_order_hash(shell: Shell) -> None:
    columns = shell.run("demo", "--json")
    steps = shell.run("demo", "--json", "--engine", "steps", PYTHONHASHSEED="7")
    one, other = json.loads(columns.stdout), json.loads(steps.stdout)
    assert one["order_hash"] == other["order_hash"]
    differ = {key for key in one if one[key] != other[key]}
    assert differ == {"run", "path", "hints"}


@pytest.mark.integration
def test_the_demo_as_json(shell: Shell) -> None:
    told = json.loads(shell.run("demo", "--json", "--runs", "elsewhere").stdout)
    assert re.fullmatch("[0-9a-f]{64}", told["order_hash"])
    assert [agent["name"] for agent in told["agents"]] == ["trend", "meanrev"]
    assert [i["symbol"] for i in told["instruments"]] == ["BTC/USD", "ETH/USD"]
    assert told["trades"] > 100
    record = json.loads((shell.folder / "elsewhere" / told["run"] / "run.json").read_text())
    assert record["order_hash"] == told["order_hash"]
    assert told["path"] == f"elsewhere/{told['run']}"


@pytest.mark.integration
def test_a_start_leaves_the_prefix_to_the_warm_up(shell: Shell) -> None:
    late = "start=2018-10-01T00:00:00Z"
    told = [json.loads(shell.run("demo", "--json", "--set", late, "--engine", e).stdout) for e in ("columns", "steps")]
    assert told[0]["order_hash"] == told[1]["order_hash"]
    assert 0 < told[0]["trades"] < 200


@pytest.mark.integration
def test_a_copied_template_with_edited_keys(shell: Shell) -> None:
    profile = shell.profile("mine.toml", "wave.csv", taker_bps="50", enter_bp="3_000", probe_bp="50")
    plain = shell.profile("plain.toml", "wave.csv")
    mine = json.loads(shell.run("backtest", "--profile", profile, "--json").stdout)
    other = json.loads(shell.run("backtest", "--profile", plain, "--json").stdout)
    assert mine["order_hash"] != other["order_hash"]
    same = json.loads(
        shell.run(
            "backtest", "--profile", plain, "--json", "--no-save", "--set", "costs.taker_bps=50",
            "--set", "committee.enter_bp=3000", "--set", "sizing.probe_bp=50",
        ).stdout
    )  # fmt: skip
    assert same["order_hash"] == mine["order_hash"], "an override is an edited key"
    assert (same["run"], same["path"]) == ("", None)
    assert len(list((shell.folder / "runs").iterdir())) == 2


# -- in this process: the same commands, for the coverage of the CLI's own lines


@pytest.fixture
def wave(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile on a small file, in the present folder."""
    monkeypatch.chdir(shell.folder)
    made: Path = shell.profile("p.toml", "wave.csv")
    return made


def test_backtest_prints_a_summary_and_writes_a_run(wave: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--profile", str(wave)]) == 0
    out = capsys.readouterr().out
    (run,) = (wave.parent / "runs").iterdir()
    assert json.loads((run / "run.json").read_text())["order_hash"] == order_hash(out)
    assert f"coinswarm replay runs/{run.name}" in " ".join(out.split())


@pytest.mark.parametrize("engine", ["columns", "steps"])
def test_no_save_writes_nothing(wave: Path, engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--profile", str(wave), "--no-save", "--json", "--engine", engine]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] is None
    assert not (wave.parent / "runs").exists()


def test_without_a_profile_it_says_what_it_runs(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shell.folder)
    assert main(["backtest", "--no-save", "--json"]) == 0
    unnamed = capsys.readouterr()
    assert unnamed.err == (
        "coinswarm: no profile was named: this is the template 'backtest' on the bars that ship with core; "
        "your own: --profile FILE\n"
    )
    assert main(["backtest", "--profile", "backtest", "--no-save", "--json"]) == 0
    named = capsys.readouterr()
    assert named.err == ""
    assert json.loads(named.out)["order_hash"] == json.loads(unnamed.out)["order_hash"]
    assert not (shell.folder / "runs").exists()


def test_the_demo_may_leave_nothing_behind(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shell.folder)
    assert main(["demo", "--no-save", "--no-trial", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["path"], told["evidence"]["trials"]["count"]) == (None, None)
    assert not (shell.folder / "runs").exists()
    assert not (shell.folder.parent / "home" / "coinswarm" / "trials").exists()


def test_errors_name_the_profile_as_it_was_given(wave: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--profile", str(wave), "--set", "agents.trend.settings.fsat=1"]) == 2
    assert f"{wave}: unknown key 'agents.trend.settings.fsat'" in capsys.readouterr().err
    assert main(["demo", "--set", "agents.trend.settings.fsat=1"]) == 2
    assert "profile demo: unknown key 'agents.trend.settings.fsat'" in capsys.readouterr().err
