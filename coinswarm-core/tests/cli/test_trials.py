"""``coinswarm trials`` and what a backtest says of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from coinswarm.cli import main

Shell = Any


@pytest.fixture
def profile(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile on a small file, in the present folder."""
    monkeypatch.chdir(shell.folder)
    return str(shell.profile("p.toml", "wave.csv"))


def backtest(profile: str, *args: str) -> None:
    assert main(["backtest", "--profile", profile, "--no-save", *args]) == 0


def files() -> list[Path]:
    return sorted(Path(os.environ["COINSWARM_HOME"]).glob("trials/*.json"))


def test_a_backtest_leaves_a_trial_and_says_so(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    sample = 'instruments=[{symbol="BTC/USD", sample="BTC/USD", tick=0.01, lot=0.001}]'
    backtest(profile, "--set", sample)
    backtest(profile, "--set", sample, "--set", "agents.trend.settings.fast=7")
    out = capsys.readouterr().out
    assert "Trials       1 on these instruments and days (1 in the registry, none declared)" in out
    assert "Trials       2 on these instruments and days (2 in the registry, none declared)" in out
    for head in ("PSR(0)", "DSR", "Track record"):
        assert out.count(f"\n{head} ") == 2
    assert len(files()) == 2


def test_no_trial_leaves_none_and_says_so(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    backtest(profile, "--no-trial")
    out = capsys.readouterr().out
    assert "Trials       unknown: this run is not in the trial registry" in out
    assert "evidence incomplete" in out
    assert files() == []


def test_list_and_show(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "list"]) == 0
    assert capsys.readouterr().out == "No trials yet: every 'coinswarm backtest' leaves one.\n"
    backtest(profile)
    capsys.readouterr()
    assert main(["trials", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["trial"] for row in rows] == [path.stem for path in files()]
    assert rows[0]["instruments"] == ["BTC/USD"]
    assert main(["trials", "show", rows[0]["trial"][:6], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["id"], len(told["returns"]), told["evidence"]["trials"]["count"]) == (
        rows[0]["trial"],
        rows[0]["days"],
        1,
    )
    assert main(["trials", "show", rows[0]["trial"]]) == 0
    out = capsys.readouterr().out
    assert f"trial           {rows[0]['trial']}" in out
    assert "\nTrials       1 on these instruments and days" in out
    assert main(["trials", "list", "--instrument", "BTC/USD"]) == 0
    assert rows[0]["trial"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["show", "zz"], "no trials in"),
        (["list", "--instrument", "BTC/EUR"], "no trial of 'BTC/EUR': did you mean 'BTC/USD'?"),
        (["lst"], "did you mean 'list'?"),
    ],
)
def test_one_line_for_what_is_not_there(
    profile: str, args: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    backtest(profile)
    capsys.readouterr()
    assert main(["trials", *args]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert says in captured.err


def test_a_damaged_registry_costs_one_line(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    backtest(profile)
    files()[0].write_text("{}")
    capsys.readouterr()
    backtest(profile)
    captured = capsys.readouterr()
    lines = " ".join(captured.out.split())
    assert "! the trial registry cannot be used" in lines
    assert "trials are not counted, the evidence is incomplete" in lines
    assert main(["trials", "list"]) == 2
    captured = capsys.readouterr()
    assert "is not a trial (KeyError): move it away" in captured.err
    assert captured.out == ""
