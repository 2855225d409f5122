"""``coinswarm replay``: the same hash again, or one line about what has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.cli import main
from coinswarm.runtime import runs as runtime

if TYPE_CHECKING:
    from pathlib import Path

Shell = Any


@pytest.fixture
def run(shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A finished run of a small file, in the present folder."""
    monkeypatch.chdir(shell.folder)
    assert main(["backtest", "--profile", str(shell.profile("p.toml", "wave.csv")), "--json"]) == 0
    path: Path = shell.folder / json.loads(capsys.readouterr().out)["path"]
    return path


@pytest.mark.integration
@pytest.mark.parametrize("engine", ["columns", "steps"])
def test_the_latest_demo_again(shell: Shell, engine: str) -> None:
    told = json.loads(shell.run("demo", "--json").stdout)
    again = json.loads(shell.run("replay", "latest", "--engine", engine, "--json", PYTHONHASHSEED="3").stdout)
    assert again == {
        "run": told["run"],
        "engine": engine,
        "stored_hash": told["order_hash"],
        "replayed_hash": told["order_hash"],
        "same": True,
    }


@pytest.mark.integration
def test_a_paper_run_again(certified: Shell) -> None:
    certified.run("trade", "--profile", "paper", "--replay", "wave.csv")
    assert json.loads(certified.run("replay", "--json").stdout)["same"] is True


@pytest.mark.integration
@pytest.mark.parametrize("file", ["run.json", "orders.npy", "fills.npy", "equity.npy", "decisions.npz"])
def test_an_altered_run_is_refused(shell: Shell, file: str) -> None:
    told = json.loads(shell.run("backtest", "--profile", shell.profile("p.toml", "wave.csv"), "--json").stdout)
    path = shell.folder / told["path"] / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = shell.run("replay", code=2)
    assert file in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.integration
def test_a_changed_data_file_is_refused(shell: Shell) -> None:
    shell.run("backtest", "--profile", shell.profile("p.toml", "wave.csv"))
    with (shell.folder / "wave.csv").open("a") as file:
        file.write("1516924800000,100,101,99,100,1\n")  # the next hour
    done = shell.run("replay", code=2)
    assert "the data of BTC/USD has changed since run" in done.stderr
    assert "restore the file with SHA-256" in done.stderr


@pytest.mark.integration
def test_funding_payments_are_held_against_those_of_the_run(shell: Shell, tmp_path: Path) -> None:
    shell.write("paid.csv", "2018-01-02T00:00:00Z,0.0001\n2018-01-03T00:00:00Z,0.0002\n")
    profile = shell.profile("p.toml", "wave.csv", shortable='true\nfunding = "paid.csv"')
    told = json.loads(shell.run("backtest", "--profile", profile, "--json").stdout)
    run, elsewhere = shell.folder / told["path"], type(shell)(tmp_path, shell.env)
    assert json.loads(elsewhere.run("replay", run, "--json").stdout)["same"] is True
    shell.write("paid.csv", "2018-01-02T00:00:00Z,0.0001\n2018-01-03T00:00:00Z,0.0003\n")
    for command in ("replay", "explain"):
        done = shell.run(command, code=2)
        assert (
            f"the funding payments of BTC/USD have changed since run {run.name} was made: restore the 2" in done.stderr
        )


def test_a_run_is_named_by_id_beginning_or_folder(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ([], ["latest"], [run.name], [run.name[:20]], [str(run)], [f"runs/{run.name}"]):
        assert main(["replay", *name]) == 0
        assert run.name in capsys.readouterr().out


def test_another_hash_is_exit_code_1(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    execute = runtime.execute

    def other(ready: Any, engine: Any) -> Any:  # noqa: ANN401
        result = execute(ready, engine)
        result.orders[0, 6] += 1
        return result

    monkeypatch.setattr(runtime, "execute", other)
    assert main(["replay", run.name, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["same"] is False
    assert told["stored_hash"] != told["replayed_hash"]


def test_orders_of_a_run_are_what_was_sent(run: Path) -> None:
    orders = np.load(run / "orders.npy")
    assert orders.shape[1] == 13
    assert len(orders) > 4
