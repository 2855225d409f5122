"""``coinswarm trade``: paper replays a recording; live says what is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.cli import main
from coinswarm.feeds.files import sample
from coinswarm.runtime.trade import LIVE_NEEDS

if TYPE_CHECKING:
    from pathlib import Path

Shell = Any


@pytest.mark.integration
def test_paper_on_the_sample_is_its_backtest(certified: Shell) -> None:
    path = sample("BTC/USD")
    paper = json.loads(certified.run("trade", "--profile", "paper", "--replay", path, "--json").stdout)
    as_backtest = certified.run(
        "backtest", "--profile", "paper", "--set", 'mode="backtest"', "--set", f'instruments.0.file="{path}"', "--json"
    )
    assert json.loads(as_backtest.stdout)["order_hash"] == paper["order_hash"]
    assert paper["trades"] > 50
    record = json.loads((certified.folder / paper["path"] / "run.json").read_text())
    assert (record["mode"], record["engine"]) == ("paper", "session")
    assert record["recordings"] == {"BTC/USD": str(path)}


@pytest.mark.integration
def test_two_instruments_each_from_its_own_file(certified: Shell) -> None:
    files = [f"{symbol}={sample(symbol)}" for symbol in ("ETH/USD", "BTC/USD")]
    setting = 'instruments=[{symbol="BTC/USD"}, {symbol="ETH/USD"}]'
    args = ["trade", "--profile", "paper", "--set", setting, "--json", "--set", "start=2018-10-01T00:00:00Z"]
    told = json.loads(certified.run(*args, *(x for file in files for x in ("--replay", file))).stdout)
    assert [i["symbol"] for i in told["instruments"]] == ["BTC/USD", "ETH/USD"]
    assert all(i["orders"] > 0 for i in told["instruments"])


@pytest.mark.integration
def test_live_exits_non_zero_and_lists_all_that_is_missing(shell: Shell) -> None:
    done = shell.run("trade", "--profile", "live", code=2)
    assert done.stdout == ""
    for need in LIVE_NEEDS:
        assert f"coinswarm: error: - {need}\n" in done.stderr
    assert "profile live: this version of Coinswarm does not trade live" in done.stderr
    assert all(line.startswith("coinswarm: error: ") for line in done.stderr.splitlines())
    assert not (shell.folder / "runs").exists()


def test_a_replay_in_this_process(
    certified: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(certified.folder)
    assert main(["trade", "--profile", "paper", "--replay", "wave.csv", "--runs", "kept"]) == 0
    assert "Order hash" in capsys.readouterr().out
    assert len(list((certified.folder / "kept").iterdir())) == 1


def test_a_profile_file_is_named_by_its_path(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shell.folder)
    profile: Path = shell.profile("p.toml", "wave.csv")
    assert main(["trade", "--profile", str(profile)]) == 2
    assert f"{profile} has mode 'backtest'" in capsys.readouterr().err


@pytest.mark.parametrize("profile", ["paper", "live", "demo"])
def test_the_command_that_would_certify_repeats_what_was_set(profile: str, shell: Shell) -> None:
    """What was typed beside the profile is what must be certified; a seed, or a driver's address, is not."""
    sets = ["--profile", profile, "--set", "agents.trend.settings.fast=12", "--set", "seed=3"]
    if profile == "demo":
        done = shell.run("backtest", *sets, "--no-save", "--no-trial")
    else:
        done = shell.run("trade", *sets, "--replay", sample("BTC/USD"), code=2)
    told = " ".join((done.stdout + done.stderr).split())
    assert f"plugins check trend --profile {profile} --set agents.trend.settings.fast=12" in told
    assert "seed=3" not in told
