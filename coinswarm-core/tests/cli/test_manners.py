"""Bad input of every kind: one line each on stderr, no traceback, the exit code of who must act.

The table is the specification: read it top to bottom (``-s`` prints what was said).
"""

from __future__ import annotations

import re
import resource
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from coinswarm.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

Shell = Any
HOUR_MS = 3_600_000


class Case(NamedTuple):
    """A command line, the file it meets, and what it must say.

    :param says: a pattern that the one line holds after ``coinswarm: error: ``.
    :param made: of the sound rows of ``wave.csv``, what ``bad.csv`` holds; text as it is; None: no such file.
    """

    says: str
    args: str = "backtest --profile bad.toml --no-save"
    made: Callable[[list[list[Any]]], list[list[Any]] | str] | None = None
    code: int = 2


def put(row: int, column: int, value: object, rows: list[list[Any]]) -> list[list[Any]]:
    """The rows with one field replaced."""
    rows[row][column] = value
    return rows


def renamed(rows: list[list[Any]]) -> str:
    """The rows under a header with a column nobody knows."""
    return "timestamp_ms,open,high,low,last_price,volume\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n"


GOOD = "backtest --profile good.toml"
CASES = {
    # data files
    "missing file": Case(r"there is no file 'bad\.csv'"),
    "empty file": Case(r"bad\.csv is empty: give a file with bars", made=lambda _: ""),
    "header only": Case(r"bad\.csv has a header but no rows", made=lambda rows: rows[:0]),
    "text": Case(r"bad\.csv is not a table of bars", made=lambda _: "dear diary\ntoday I bought\n"),
    "unsorted": Case(
        r"bad\.csv: time earlier than the row before in 1 row \(line 8\)",
        made=lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]],
    ),
    "duplicated": Case(
        r"bad\.csv: time repeated in 1 row \(line 7\)", made=lambda rows: [*rows[:5], rows[4], *rows[5:]]
    ),
    "not a number": Case(r"bad\.csv: not a finite number in 1 row \(line 7\)", made=partial(put, 5, 4, "nan")),
    "infinite": Case(r"bad\.csv: not a finite number in 1 row \(line 7\)", made=partial(put, 5, 2, "inf")),
    "negative price": Case(r"bad\.csv: .*line 7", made=partial(put, 5, 3, "-1")),
    "high below low": Case(r"bad\.csv: high below low in 1 row \(line 7\)", made=partial(put, 5, 2, "1")),
    "unknown column": Case(r"bad\.csv: no close column in the header 'timestamp_ms,.*last_price", made=renamed),
    "off the grid": Case(r"bad\.csv: time off the 1h grid", made=lambda rows: put(5, 0, rows[5][0] + 60_000, rows)),
    "missing funding": Case(r"there is no file 'none\.csv'", f"{GOOD} --set instruments.0.funding=none.csv"),
    "tick too coarse": Case(
        r"BTC/USD: prices down to \S+ come to no tick of 1000", f"{GOOD} --set instruments.0.tick=1000"
    ),
    "tick too fine": Case(r"BTC/USD: price \S+ in ticks of 1E-20", f"{GOOD} --set instruments.0.tick=1e-20"),
    # profiles
    "unknown profile": Case(r"profile 'pper' is neither a file nor a template", "trade --profile pper"),
    "not TOML": Case(r"bad\.csv is not valid TOML", "backtest --profile bad.csv", made=lambda _: "= what\n"),
    "unknown key": Case(
        r"unknown key 'risk\.daily_los_bp': did you mean 'daily_loss_bp'\?", f"{GOOD} --set risk.daily_los_bp=3"
    ),
    "unknown table": Case(r"unknown key 'rsk'.*did you mean 'risk'\?", f"{GOOD} --set rsk.daily_loss_bp=3"),
    "weights": Case(
        r"weight_bp sums to 9000 \(trend 4000 \+ meanrev 5000\), not 10000: add 1000",
        f"{GOOD} --set agents.trend.weight_bp=4000",
    ),
    "zero capital": Case(r"cash = 0: must be greater than 0", f"{GOOD} --set cash=0"),
    "too much capital": Case(r"cash = 1000000000000: is too large", f"{GOOD} --set cash=1000000000000"),
    "half an override": Case(r"--set 'cash' is not KEY=VALUE", f"{GOOD} --set cash"),
    "wrong type": Case(r"risk\.max_position_bp = 'much': ", f"{GOOD} --set risk.max_position_bp=much"),
    # plugins
    "unknown plugin": Case(r"unknown plugin 'trnd': did you mean 'trend'\?", f'{GOOD} --set plugins=["trnd"]'),
    "plugin not named": Case(r"add 'trend' to plugins", f'{GOOD} --set plugins=["meanrev"]'),
    "unknown agent": Case(r"unknown agent 'trned': did you mean 'trend'\?", f"{GOOD} --set agents.trend.name=trned"),
    "unknown weigher": Case(
        r"unknown weigher 'wieghted': did you mean 'weighted'\?", f"{GOOD} --set committee.weigher=wieghted"
    ),
    "unknown agent setting": Case(
        r"unknown key 'agents\.trend\.settings\.fsat': did you mean 'fast'\?",
        f"{GOOD} --set agents.trend.settings.fsat=3",
    ),
    "setting out of bounds": Case(r"fast is 300 and slow is 20", f"{GOOD} --set agents.trend.settings.fast=300"),
    # commands
    "unknown command": Case(r"unknown command 'coinswarm bactest': did you mean 'backtest'\?", "bactest"),
    "unknown option": Case(r"No such option", f"{GOOD} --nosave"),
    "unknown engine": Case(r"'fast' is not one of 'columns', 'steps'", f"{GOOD} --engine fast"),
    "paper without bars": Case(r"no bars for BTC/USD.*give a recording with --replay FILE", "trade --profile paper"),
    "paper with missing bars": Case(r"there is no file 'bad\.csv'", "trade --profile paper --replay bad.csv"),
    "another pair": Case(
        r"the profile does not trade 'ETH/USD': did you mean 'BTC/USD'\?",
        "trade --profile paper --replay ETH/USD=wave.csv",
    ),
    "trading a backtest": Case(r'has mode .backtest.: set mode = "paper"', "trade --profile good.toml"),
    "backtesting live": Case(r"profile live is a live profile", "backtest --profile live"),
    "backtesting paper": Case(r"BTC/USD has no bars: set file or sample", "backtest --profile paper"),
    "nothing to replay": Case(r"there is no run in runs: make one", "replay"),
    "no such run": Case(r"there is no run in runs: make one", "replay 20180101"),
    # output
    "a file for a folder": Case(r"Directory 'wave\.csv' is a file", f"{GOOD} --runs wave.csv"),
    "a folder in a file": Case(
        r"no run can be written to wave\.csv/runs \(Not a directory\): name another folder",
        f"{GOOD} --runs wave.csv/runs",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_answered_in_one_line(shell: Shell, name: str) -> None:
    case = CASES[name]
    shell.profile("good.toml", "wave.csv")
    shell.profile("bad.toml", "bad.csv")
    if case.made is not None:
        sound = [line.split(",") for line in (shell.folder / "wave.csv").read_text().splitlines()[1:]]
        content = case.made([[int(row[0]), *row[1:]] for row in sound])
        if isinstance(content, str):
            shell.write("bad.csv", content)
        else:
            shell.bars("bad.csv", content)
    before = sorted(path.name for path in shell.folder.iterdir())
    done = shell.run(*case.args.split(), code=case.code)
    print(f"{name:24} {done.stderr.strip()}")  # noqa: T201 - the table at a glance
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("coinswarm: error: ")
    assert re.search(case.says, done.stderr), done.stderr
    assert done.stdout == ""
    assert sorted(path.name for path in shell.folder.iterdir()) in (before, sorted([*before, "runs"]))
    assert shell.leftovers() == []


def test_several_findings_are_a_line_each(shell: Shell) -> None:
    profile = shell.profile("p.toml", "wave.csv", taker_bps="-1", enter_bp="20_000", cash="0")
    lines = shell.run("backtest", "--profile", profile, code=2).stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("coinswarm: error: ") for line in lines)
    for key in ("costs.taker_bps", "committee.enter_bp", "cash"):
        assert sum(key in line for line in lines) == 1


def test_a_full_disk_leaves_no_half_run(shell: Shell) -> None:
    """A limit on the size of files stands for the full disk: the probe fits, the run does not."""
    profile = shell.profile("p.toml", "wave.csv")
    shell.run("backtest", "--profile", profile)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_024, hard))
        done = shell.run("backtest", "--profile", profile, code=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.stderr == (
        "coinswarm: error: no run can be written to runs (File too large): free some space, or name another folder\n"
    )
    assert done.stdout == ""
    assert len(list((shell.folder / "runs").iterdir())) == 1, "the earlier run, whole"
    assert shell.leftovers() == []
    shell.run("replay")


def test_output_that_cannot_be_written_is_found_before_the_run(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr("coinswarm.runtime.runs.assemble", lambda *_, **__: pytest.fail("went on"))
    assert main(["backtest", "--profile", str(shell.profile("p.toml", "wave.csv")), "--runs", "wave.csv/x"]) == 2
    assert "no run can be written" in capsys.readouterr().err
