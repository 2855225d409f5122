"""Bad input of every kind: one line each on stderr, no traceback, the exit code of who must act.

The table is the specification, and ``docs/errors.md`` tells it: read it top to bottom.
"""

from __future__ import annotations

import re
import resource
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from coinswarm.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

Shell = Any
Site = Any
HOUR_MS = 3_600_000


class Case(NamedTuple):
    """A command line, the file it meets, and what it must say.

    :param says: a pattern that the one line holds after ``coinswarm: error: ``.
    :param made: of the sound rows of ``wave.csv``, what ``bad.csv`` holds; text as it is; None: no such file.
    :param given: what else was there before.
    """

    says: str
    args: str = "backtest --profile bad.toml --no-save"
    made: Callable[[list[list[Any]]], list[list[Any]] | str] | None = None
    code: int = 2
    given: Callable[[Shell, Site], None] | None = None


def put(row: int, column: int, value: object, rows: list[list[Any]]) -> list[list[Any]]:
    """The rows with one field replaced."""
    rows[row][column] = value
    return rows


def renamed(rows: list[list[Any]]) -> str:
    """The rows under a header with a column nobody knows."""
    return "timestamp_ms,open,high,low,last_price,volume\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n"


def ran(shell: Shell, _site: Site) -> None:
    """A run, in ``runs/``."""
    shell.run("backtest", "--profile", "good.toml", "--no-trial", "--no-report")


def ran_by_another(shell: Shell, site: Site) -> None:
    """A run in ``newer/`` that a later version wrote."""
    ran(shell, site)
    (found,) = (shell.folder / "runs").iterdir()
    found.rename(shell.folder / "newer")
    record = shell.folder / "newer" / "run.json"
    record.write_text(record.read_text().replace("coinswarm.run/1", "coinswarm.run/2"))


def ran_and_changed(shell: Shell, site: Site) -> None:
    """A run in ``touched/`` with an altered table."""
    ran(shell, site)
    (found,) = (shell.folder / "runs").iterdir()
    found.rename(shell.folder / "touched")
    table = shell.folder / "touched" / "fills.npy"
    table.write_bytes(table.read_bytes()[:-1] + b"x")


def ran_on_other_bars(shell: Shell, site: Site) -> None:
    """A run in ``kept/`` whose bars were edited since."""
    ran(shell, site)
    (found,) = (shell.folder / "runs").iterdir()
    found.rename(shell.folder / "kept")
    bars = shell.folder / "wave.csv"
    bars.write_text("\n".join(bars.read_text().splitlines()[:-1]) + "\n")


def imported_by_another(shell: Shell, _site: Site) -> None:
    """Bars in ``newer.npz`` that a later version imported."""
    header = np.frombuffer(b'{"format": "coinswarm-bars-2"}', np.uint8)
    one = np.zeros(1)
    np.savez(shell.folder / "newer.npz", header=header, open_ns=one, open=one, high=one, low=one, close=one, volume=one)


def made_for_another_core(shell: Shell, site: Site) -> None:
    """A plugin that asks for a later core."""
    site.add("later", requires="coinswarm-core>=7,<8")
    shell.env["PYTHONPATH"] = str(site.folder)


def broken_plugin(shell: Shell, site: Site) -> None:
    """A plugin that cannot be imported."""
    site.add("broken", "import no_such_module_anywhere")
    shell.env["PYTHONPATH"] = str(site.folder)


def switched_off(shell: Shell, _site: Site) -> None:
    """The trend plugin, disabled."""
    shell.run("plugins", "disable", "trend")


def blocked(shell: Shell, _site: Site) -> None:
    """The trend plugin, blocked with a reason."""
    shell.run("plugins", "block", "trend", "--reason", "it peeks")


GOOD = "backtest --profile good.toml"
ONE = '[{name="%s",weight_bp=10000}]'
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
    "profile without its option": Case(r"did you mean --profile good\.toml\?", "backtest good.toml"),
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
    # runs
    "run nobody made": Case(r"no run in runs is called '2031': the newest is ", "runs show 2031", given=ran),
    "run of another version": Case(
        r"newer/run\.json has the schema 'coinswarm\.run/2', .*: read it with the Coinswarm",
        "replay newer",
        given=ran_by_another,
    ),
    "altered run": Case(
        r"touched/fills\.npy was altered or damaged.*: make the run again", "runs show touched", given=ran_and_changed
    ),
    "bars edited since": Case(
        r"the data of BTC/USD has changed since run kept was made: restore", "replay kept", given=ran_on_other_bars
    ),
    "folder that is no run": Case(r"no run in runs is called '\.'", "explain .", given=ran),
    "two things to explain": Case(
        r"--decision and --trade name different things: give one", "explain --decision 1 --trade 1", given=ran
    ),
    "time that is none": Case(r"--at 'yesterday' is not a time: write it as", "explain --at yesterday", given=ran),
    "decision beyond the last": Case(
        r"has no decision 99999: they go from 0 to ", "explain --decision 99999", given=ran
    ),
    "word for a number": Case(r"'--decision': 'first' is not a valid integer", "explain --decision first", given=ran),
    "unknown kind of table": Case(r"'order' is not one of 'orders'", "runs export order", given=ran),
    "two formats": Case(r"--csv and --json are two formats: choose one", "runs export orders --csv --json", given=ran),
    "table into a missing folder": Case(
        r"none/orders\.csv cannot be written", "runs export orders --out none/orders.csv", given=ran
    ),
    # versions and policy
    "bars of another version": Case(
        r"newer\.npz has format 'coinswarm-bars-2': .*import the source again",
        f"{GOOD} --set instruments.0.file=newer.npz",
        given=imported_by_another,
    ),
    "plugin for another core": Case(
        r"plugin 'later' .* asks for coinswarm-core>=7,<8, and this is .*: install a version",
        f'{GOOD} --set plugins=["later"] --set agents={ONE % "later"}',
        code=3,
        given=made_for_another_core,
    ),
    "broken plugin": Case(
        r"plugin 'broken' .* cannot be imported \(ModuleNotFoundError.*: repair or reinstall",
        f'{GOOD} --set plugins=["broken"] --set agents={ONE % "broken"}',
        code=3,
        given=broken_plugin,
    ),
    "disabled plugin": Case(
        r"plugin 'trend' .* switched off by the operator: coinswarm plugins enable trend", GOOD, given=switched_off
    ),
    "blocked plugin": Case(
        r"plugin 'trend' .* blocked by the operator, it peeks: coinswarm plugins enable trend", GOOD, given=blocked
    ),
    "plugin to disable mistyped": Case(r"unknown plugin 'trnd': did you mean 'trend'\?", "plugins disable trnd"),
    "core disabled": Case(r"plugin 'core' is coinswarm-core itself.*: name another plugin", "plugins disable core"),
    "kind of plugin mistyped": Case(r"unknown kind 'agnet': did you mean 'agent'\?", "plugins new agnet dip"),
    "name of a plugin": Case(r"the name '9-lives' is not .*: did you mean 'lives'\?", "plugins new agent 9-lives"),
    # importing data
    "bar length": Case(
        r"bar length 'fortnight' is not .*: write for example 1m",
        "data import wave.csv --symbol BTC/USD --bar fortnight",
    ),
    "pair that is none": Case(
        r"symbol 'bitcoin' is not BASE/QUOTE: write for example", "data import wave.csv --symbol bitcoin"
    ),
    "tick that is no number": Case(
        r"--tick 'tiny' is not a number: write for example", "data import wave.csv --symbol BTC/USD --tick tiny"
    ),
    "pair nobody named": Case(r"wave\.csv does not tell which pair it holds: pass --symbol", "data import wave.csv"),
    "import into another format": Case(
        r"--out 'bars\.csv' does not end in \.npz: write for example --out bars\.npz",
        "data import wave.csv --symbol BTC/USD --out bars.csv",
    ),
    "data nobody imported": Case(r"no imported data 'BTC-USD_2h': did you mean", "data show BTC-USD_2h"),
    "trial nobody made": Case(r"there is no trial in .*: every 'coinswarm backtest' leaves one", "trials show abc"),
    # output
    "a file for a folder": Case(r"Directory 'wave\.csv' is a file", f"{GOOD} --runs wave.csv"),
    "a folder in a file": Case(
        r"no run can be written to wave\.csv/runs \(Not a directory\): name another folder",
        f"{GOOD} --runs wave.csv/runs",
    ),
}


PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
"""Tells every case; ``-s`` prints its lines."""

THING = re.compile(
    r"--\w|\.(csv|toml|npz|npy|json)\b|\b(agent|cash|command|data|decision|fast|key|kind|length|mode|name|option|"
    r"plugin|profile|runs?|symbol|template|trial|weigher|value|bars|prices?|file)\b"
)
VALUE = re.compile(r"'[^']+'|\d|\w+\.\w+|[A-Z]{3}/[A-Z]{3}|--\w+|[$/]\w+|in runs$|is a live profile$")
REMEDY = re.compile(
    r"did you mean|the newest is|this version reads|they go from|every 'coinswarm|(\w+ )?must be |is too large|at most|"
    r"coinswarm plugins enable |coinswarm [a-z ]+ --help\)$|"
    r"(add|backtest|choose|correct|give|import|install|known|make|name|pass|read|repair|"
    r"restore|set|unpack|write)\b"
)


def page_row(name: str, case: Case, stderr: str, shell: Shell) -> str:
    """The line of the page for a case: what differs from one machine and time to another is replaced."""
    text = stderr.removeprefix("coinswarm: error: ").strip().replace(shell.env["COINSWARM_HOME"], "$COINSWARM_HOME")
    text = re.sub(r"\d{8}T\d{9}Z-[0-9a-f]{8}", "ID", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    text = re.sub(r"(coinswarm-trend|this is) \d+\.\d+[.\w]*", r"\1 VERSION", text)
    cells = (name, f"`coinswarm {case.args}`", str(case.code), f"`{text.replace('`', chr(39))}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_answered_in_one_line(shell: Shell, site: Site, name: str) -> None:
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
    if case.given is not None:
        case.given(shell, site)
    before = sorted(path.name for path in shell.folder.iterdir())
    done = shell.run(*case.args.split(), code=case.code)
    row = page_row(name, case, done.stderr, shell)
    print(row)  # noqa: T201 - the page's line
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("coinswarm: error: ")
    assert re.search(case.says, done.stderr), done.stderr
    assert done.stdout == ""
    assert sorted(path.name for path in shell.folder.iterdir()) in (before, sorted([*before, "runs"]))
    assert shell.leftovers() == []
    said = done.stderr.removeprefix("coinswarm: error: ").strip()
    body, remedy = said.rsplit(" (see " if said.endswith("--help)") else ": ", 1)
    assert THING.search(body), "names the thing"
    assert VALUE.search(body), "names the value"
    assert REMEDY.match(remedy), f"no remedy: {remedy}"
    if PAGE.exists():  # not beside an installed wheel
        assert row in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_has_every_mistake_and_no_other() -> None:
    if not PAGE.exists():
        pytest.skip("docs/ is not beside the tests")
    told = re.findall(r"^\| ([^|]+) \| `coinswarm ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == list(CASES)
    assert len(told) >= 30


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
