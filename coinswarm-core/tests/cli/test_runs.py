"""``coinswarm runs``: finished runs listed, shown, compared and exported; damaged ones named."""

from __future__ import annotations

import csv
import errno
import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coinswarm.backtest.compare import compare_runs
from coinswarm.backtest.runread import read_run
from coinswarm.cli import main

Shell = Any
KINDS = ["orders", "fills", "trades", "equity", "decisions"]


@pytest.fixture
def made(shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[Path]:
    """Two runs of a small file, in the present folder: the second pays more."""
    monkeypatch.chdir(shell.folder)
    profile = str(shell.profile("p.toml", "wave.csv"))
    found = []
    for extra in ([], ["--set", "costs.taker_bps=40"]):
        assert main(["backtest", "--profile", profile, "--json", *extra]) == 0
        found.append(shell.folder / json.loads(capsys.readouterr().out)["path"])
    return found


def told(capsys: pytest.CaptureFixture[str], *args: str) -> Any:  # noqa: ANN401 - whatever the command prints
    """What a command prints as JSON."""
    assert main([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_has_a_row_per_run_newest_last(made: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys, "runs", "list")
    assert [row["id"] for row in rows] == [path.name for path in made]
    summary = read_run(made[0]).record["summary"]
    values = {m["name"]: m["value"] for m in summary["measures"]}
    assert rows[0]["return"] == values["total_return"]
    assert (rows[0]["sharpe"], rows[0]["drawdown"]) == (values["sharpe"], values["max_drawdown"])
    assert rows[0]["trades"] == summary["trades"]
    assert rows[0]["profile"] == "p.toml"
    assert rows[0]["instruments"] == ["BTC/USD"]
    assert main(["runs", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "ID"
    assert [line.split()[0] for line in lines] == [path.name for path in made]
    assert all(line.endswith(path.name[-8:]) for line, path in zip(lines, made, strict=True))


@pytest.mark.parametrize("file", ["run.json", "orders.npy", "equity.npy"])
def test_a_damaged_run_is_listed_with_the_reason(
    made: list[Path], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((made[0] / file).read_bytes())
    data[len(data) // 2] ^= 1
    (made[0] / file).write_bytes(data)
    rows = told(capsys, "runs", "list")
    assert rows[0].keys() == {"id", "damage"}
    assert file in rows[0]["damage"]
    assert rows[1]["damage"] == ""
    assert main(["runs", "list"]) == 0
    assert f"damaged: {made[0].name}: {file}" in capsys.readouterr().out


def test_a_run_that_may_not_be_looked_into_hides_no_other(
    made: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another user made it; a folder's rights stop root as little as these tests, so that they are played."""
    plain = {name: getattr(Path, name) for name in ("is_file", "read_bytes")}

    def refused(name: str, path: Path) -> object:
        if path.parent.name == made[1].name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return plain[name](path)

    for name in plain:
        monkeypatch.setattr(Path, name, lambda path, name=name: refused(name, path))
    rows = told(capsys, "runs", "list")
    assert rows[0]["damage"] == ""
    assert rows[1]["damage"].startswith("run.json cannot be read (Permission denied)")
    assert main(["runs", "show"]) == 2, "the newest is not passed over"
    assert f"{made[1].name}/run.json cannot be read" in capsys.readouterr().err


def test_no_run_yet(shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(shell.folder)
    assert told(capsys, "runs", "list") == []
    assert main(["runs", "list"]) == 0
    assert "no runs in runs: make one with" in capsys.readouterr().out
    assert main(["runs", "show"]) == 2
    assert "there is no run in runs" in capsys.readouterr().err


def test_show_prints_what_backtest_printed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shell.folder)
    profile = str(shell.profile("p.toml", "wave.csv"))
    assert main(["backtest", "--profile", profile]) == 0
    first = capsys.readouterr().out
    assert main(["runs", "show"]) == 0
    assert capsys.readouterr().out == first
    summary = told(capsys, "runs", "show", "latest")
    assert summary["run"] in first
    assert main(["runs", "show", "19"]) == 2
    assert "no run in runs is called '19'" in capsys.readouterr().err


def test_compare_says_what_changed_and_what_it_did(made: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "runs", "compare", made[0].name, made[1].name)
    assert found["changed"] == {
        "settings": [{"key": "costs.taker_bps", "a": "10", "b": "40"}],
        "versions": [],
        "data": [],
    }
    assert not found["same_orders"]
    values = [{m["name"]: m["value"] for m in read_run(path).record["summary"]["measures"]} for path in made]
    by_name = {row["name"]: row for row in found["measures"]}
    for name, row in by_name.items():
        assert (row["a"], row["b"]) == (values[0][name], values[1][name])
        if row["difference"] is not None:
            assert row["difference"] == row["b"] - row["a"]
    assert by_name["sharpe"]["low"] <= by_name["sharpe"]["difference"] <= by_name["sharpe"]["high"]
    final = [Decimal(read_run(path).record["summary"]["equity"]["final"]) for path in made]
    assert Decimal(found["equity"]["difference"]) == final[1] - final[0]
    assert main(["runs", "compare", made[0].name]) == 0
    out = capsys.readouterr().out
    assert "costs.taker_bps  10 -> 40" in out
    assert "Versions changed" in out
    assert f"B - A {found['equity']['difference']}" in out
    assert max(map(len, out.splitlines())) <= 100


def test_compare_says_nothing_twice(
    certified: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(certified.folder)
    profile = str(certified.profile("p.toml", "wave.csv"))
    backtest = told(capsys, "backtest", "--profile", profile)
    coarse = ("--set", "mode=paper", "--set", "instruments.0.tick=0.05")
    paper = told(capsys, "trade", "--profile", profile, *coarse)
    found = told(capsys, "runs", "compare", backtest["run"], paper["run"])["changed"]
    keys = [row["key"] for part in ("settings", "data") for row in found[part]]
    assert sorted(keys) == ["(engine)", "instruments.BTC/USD.tick", "mode"]
    [tick] = [row for row in found["settings"] if row["key"].endswith("tick")]
    assert tick["b"] == "0.05"


def test_compare_tells_of_settings_that_are_lists(made: list[Path]) -> None:
    one = read_run(made[0])
    other = replace(one, record={**one.record, "profile": {**one.record["profile"], "plugins": ["another"]}})
    [row] = compare_runs(one, other)["changed"]["settings"]
    assert row == {"key": "plugins", "a": one.record["profile"]["plugins"], "b": ["another"]}


def test_a_run_compared_with_itself_has_no_difference(made: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "runs", "compare", made[0].name, made[0].name)
    assert found["same_orders"]
    assert found["first_difference"] is None
    assert all(row["difference"] in (0, None) for row in found["measures"])
    assert found["equity"]["widest"] is None
    assert main(["runs", "compare", made[0].name, made[0].name]) == 0
    assert "Orders are the same in both." in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_export_is_exact(made: list[Path], kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = read_run(made[0]).result
    rows_of = {"trades": "trade_rows", "equity": "equity"}
    assert main(["runs", "export", kind, made[0].name, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == len(getattr(result, rows_of.get(kind, kind)))
    assert len(rows) > 0
    as_json = told(capsys, "runs", "export", kind, made[0].name)
    assert [{k: v or "" for k, v in row.items()} for row in as_json] == rows
    instrument = result.instruments[0]
    if kind == "fills":
        assert [Decimal(row["price"]) / instrument.tick for row in rows] == result.fills[:, 3].tolist()
        assert [Decimal(row["quantity"]) / instrument.lot for row in rows] == result.fills[:, 2].tolist()
        assert [Decimal(row["fee"]) * 10**8 for row in rows] == result.fills[:, 4].tolist()
    if kind == "equity":
        assert [Decimal(row["equity"]) * 10**8 for row in rows] == result.equity.tolist()
        assert rows[0]["time"] == "2018-01-01T01:00:00Z"
    if kind == "trades":
        assert [Decimal(row["pnl"]) * 10**8 for row in rows] == result.trade_rows[:, 5].tolist()
        assert {row["agreed"] for row in rows} <= {"trend", "meanrev", "trend, meanrev"}


def test_export_to_a_file(made: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "export", "fills", made[0].name]) == 0
    text = capsys.readouterr().out
    out = made[0].parent.parent / "fills.csv"
    assert main(["runs", "export", "fills", made[0].name, "--out", str(out)]) == 0
    assert out.read_text() == text
    assert "fills to" in capsys.readouterr().err
    assert main(["runs", "export", "fills", "--out", str(out / "deeper.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["runs", "export", "fills", "--csv", "--json"]) == 2
    assert "choose one" in capsys.readouterr().err
    assert main(["runs", "export", "fils"]) == 2
    assert "'fils' is not one of" in capsys.readouterr().err
