"""``coinswarm plugins check``, as far as it is core's: what it asks of the judge, and how it shows the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.cli import main

if TYPE_CHECKING:
    from pathlib import Path

Shell = Any


def test_one_check_is_shown_with_its_outcome(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    assert main(["plugins", "check", "trend", "--only", "P30", "--report", str(report)]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "agent trend of coinswarm-trend 0.1.0"
    assert lines[1].split() == ["ID", "WHAT", "IT", "DEMANDS", "TIER", "OUTCOME", "SECONDS"]
    assert lines[2].split()[-3:-1] == ["bronze", "passed"]
    assert not [line for line in lines if line.startswith("Tier")]
    assert lines[-2:] == ["Certificate  none: only some checks were run", f"Report       {report}"]
    assert err.splitlines() == ["judging agent trend: 1 checks", "P30 passed: nothing runs by itself"]
    assert report.read_text().startswith("<!DOCTYPE html>")


def test_a_profile_gives_settings_and_failures_their_command(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shell.folder)
    shell.profile("p.toml", "wave.csv")
    args = [
        "plugins",
        "check",
        "trend",
        "--profile",
        "p.toml",
        "--set",
        "agents.trend.settings.fast=-1",
        "--only",
        "P40",
    ]
    assert main([*args, "--trials", "3"]) == 3
    out, err = capsys.readouterr()
    assert "P40 failed: " in out
    assert (
        "    reproduce: coinswarm plugins check trend --tier silver --seed 0 --profile p.toml --trials 3 "
        "--set agents.trend.settings.fast=-1 --kind agent --object trend --only P40\n"
    ) in out
    assert err.splitlines()[-1].startswith("coinswarm: error: agent 'trend' does not reach silver: P40 failed")


def test_json_is_the_verdict_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "check", "trend", "--only", "P30", "--set", "fast=15", "--json"]) == 0
    out, err = capsys.readouterr()
    verdict = json.loads(out)
    assert (verdict["good"], verdict["subjects"][0]["settings"], err) == (True, {"fast": 15}, "")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["trnd"], "unknown plugin 'trnd': did you mean 'trend'?"),
        (["trend", "--waive", "A48"], "--waive 'A48' is not ID=REASON"),
        (["trend", "--set", "fast"], "--set 'fast' is not KEY=VALUE"),
        (["trend", "--set", 'api_key="x"'], "'api_key' holds a secret in plain text"),
        (
            ["trend", "--profile", "paper", "--tier", "gold"],
            "paper has no bars for BTC/USD, which evidence is measured",
        ),
        (["trend", "--profile", "paper", "--data", "BTX/USD=x.csv"], "paper does not trade 'BTX/USD': did you mean"),
        (["trend", "--profile", "", "--only", "P10"], "profile . cannot be read (Is a directory)"),
        (["trend", "--against", "", "--only", "P10"], "holds no installed coinswarm-trend"),
        (["trend", "--data", "no.csv"], "there is no file"),
        (["trend", "--against", "no.whl", "--only", "P30"], "no.whl cannot be read as a wheel"),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_line(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plugins", "check", *args]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
