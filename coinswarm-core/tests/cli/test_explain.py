"""``coinswarm explain``: words within a terminal, JSON, and one line for what cannot be meant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.cli import main

if TYPE_CHECKING:
    from pathlib import Path

Shell = Any


@pytest.fixture
def run(shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A finished run of a small file, in the present folder."""
    monkeypatch.chdir(shell.folder)
    args = ["backtest", "--profile", str(shell.profile("p.toml", "wave.csv")), "--no-report", "--json"]
    assert main(args) == 0
    path: Path = shell.folder / json.loads(capsys.readouterr().out)["path"]
    return path


def test_the_last_decision_in_words(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Run {run.name}: decision ")
    for head in ("Bar ", "trend ", "meanrev ", "Committee ", "Intent ", "Account ", "Desk "):
        assert f"\n{head}" in out
    assert max(map(len, out.splitlines()[1:])) <= 80


def test_json_says_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", run.name[:12], "--order", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == run.name
    assert told["explained"][0]["orders"][-1]["order"] == 0


def test_a_time_without_a_zone_is_utc(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.is_dir()
    shown = []
    for moment in ("2018-01-10T00:00", "2018-01-10 00:00Z", "2018-01-10T01:00+01:00", "2018-01-10"):
        assert main(["explain", "--at", moment, "--instrument", "BTC/USD"]) == 0
        shown.append(capsys.readouterr().out)
    assert len(set(shown)) == 1
    assert "BTC/USD at 2018-01-10 00:00 UTC" in shown[0]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--at", "noon"], "--at 'noon' is not a time: write it as 2018-01-31T23:00"),
        (["--order", "1", "--trade", "2"], "--trade and --order name different things: give one of them"),
        (["--instrument", "BTC/USD"], "--instrument belongs to --at: give a time too"),
        (["--order", "x"], "'x' is not a valid integer"),
        (["--trade", "99999"], "they go from 0 to"),
        (["no-such-run"], "no run in runs is called 'no-such-run'"),
    ],
)
def test_one_line_for_what_cannot_be_meant(
    run: Path, args: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.is_dir()
    assert main(["explain", *args]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert says in captured.err
