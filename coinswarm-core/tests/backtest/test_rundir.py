"""Runs on disk: all or nothing, sortable, verified; errors name the file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.backtest import rundir
from coinswarm.backtest.rundir import check_writable, write_run
from coinswarm.backtest.runread import find_run, latest, list_runs, read_run
from coinswarm.canonical import digest
from coinswarm.clock import DAY_NS, SECOND_NS, SimulatedClock
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.order import Refusal
from coinswarm.engine.result import RunResult
from coinswarm.errors import DataError, NotReadyError, OutputError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = 1_517_486_400 * SECOND_NS  # 2018-02-01T12:00:00Z
FILES = ["decisions.npz", "equity.npy", "fills.npy", "orders.npy", "run.json"]


def result(seed: int = 1, marks: int = 50) -> RunResult:
    rng = np.random.Generator(np.random.PCG64(seed))

    def table(rows: int, columns: int) -> np.ndarray:
        return rng.integers(-(2**62), 2**62, (rows, columns))

    decisions = table(7, 10)
    decisions[:, 7] = [0, 0, 0, 0, *[Refusal.NO_STOP] * 3]
    return RunResult(
        instruments=(Instrument("BTC/USD", Decimal("0.1"), Decimal("1E-8")),),
        anchor_ns=NOON,
        bar_ns=60 * SECOND_NS,
        cash=10**12,
        orders=table(6, 13),
        fills=table(5, 5),
        reference=rng.integers(1, 9, 5),
        times_ns=np.arange(marks) * 60 * SECOND_NS,
        equity=rng.integers(1, 10**12, marks),
        exposure_units=rng.integers(0, 10**12, marks),
        decisions=decisions,
        trade_rows=np.array([[0, -1, 1, 2, 4, -5, 6, 7, 8, 1]]),
        costs={"fees": 12, "adverse": 7, "funding": -1},
        seats=("trend", "meanrev"),
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def write(root: Path, seed: int = 1, at: int = NOON, **about: object) -> Path:
    return write_run(root, result(seed), about, SimulatedClock(at))


def test_a_run_comes_back_as_it_was(root: Path) -> None:
    wrote = result()
    path = write_run(root, wrote, {"seed": 7, "summary": {"sharpe": 0.1, "why": None}}, SimulatedClock(NOON))
    assert sorted(p.name for p in path.iterdir()) == FILES
    assert [p.name for p in root.iterdir()] == [path.name]
    run = read_run(path)
    for name in RunResult.__slots__:
        assert np.array_equal(getattr(run.result, name), getattr(wrote, name)), name
    assert run.result.trades == wrote.trades
    assert run.result.order_hash == wrote.order_hash == run.record["order_hash"]
    assert run.run_id == path.name == f"20180201T120000000Z-{wrote.order_hash[:8]}"
    assert run.record["seed"] == 7
    assert run.record["summary"] == {"sharpe": 0.1, "why": None}
    assert run.record["refusals"] == {"NO_STOP": 3}
    assert run.record["created"] == "2018-02-01T12:00:00Z"


def test_equal_runs_have_equal_files(root: Path) -> None:
    first, second = write(root), write(root, at=NOON + SECOND_NS)
    for name in FILES[:-1]:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_run_without_orders_comes_back_too(root: Path) -> None:
    wrote = result()
    none = RunResult(
        **{name: getattr(wrote, name) for name in ("instruments", "anchor_ns", "bar_ns", "cash", "equity")},
        orders=wrote.orders[:0],
        fills=wrote.fills[:0],
        reference=wrote.reference[:0],
        times_ns=wrote.times_ns,
        exposure_units=wrote.exposure_units,
        decisions=wrote.decisions[:0],
        trade_rows=wrote.trade_rows[:0],
        costs={},
    )
    run = read_run(write_run(root, none, {}, SimulatedClock(NOON)))
    assert run.result.orders.shape == (0, 13)
    assert run.result.trades == ()


def test_ids_sort_by_time_and_equal_ones_are_numbered(root: Path) -> None:
    paths = [write(root), write(root), write(root, seed=2, at=NOON + 10**6), write(root, at=NOON + 2 * 10**6)]
    assert paths[1].name == f"{paths[0].name}-2"
    assert read_run(paths[1]).run_id == paths[1].name
    assert list_runs(root) == [p.name for p in paths]
    assert latest(root) == paths[-1]


def test_find_a_run(root: Path) -> None:
    paths = [write(root, seed=s, at=NOON + s * DAY_NS) for s in (1, 2)]
    assert find_run(root, "latest") == paths[1]
    assert find_run(root, paths[0].name) == paths[0]
    assert find_run(root, "20180202") == paths[0]
    assert find_run(root, str(paths[1])) == paths[1]
    with pytest.raises(UnknownNameError, match=r"2 runs in .* begin with '2018'.*for example 20180203"):
        find_run(root, "2018")
    with pytest.raises(UnknownNameError, match=r"called '20180202T120000000Z-xx'.*did you mean '20180202T"):
        find_run(root, "20180202T120000000Z-xx")
    with pytest.raises(UnknownNameError, match=r"called ''.*the newest is 20180203"):
        find_run(root, "")


def test_no_runs(root: Path) -> None:
    assert list_runs(root) == []
    for name in ("latest", "x"):
        with pytest.raises(NotReadyError, match=r"there is no run in .*coinswarm demo"):
            find_run(root, name)


@pytest.mark.parametrize("name", FILES)
def test_any_changed_byte_is_an_error_that_names_the_file(root: Path, name: str) -> None:
    path = write(root)
    whole = (path / name).read_bytes()
    for place in {0, len(whole) // 2, len(whole) - 3}:
        (path / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DataError, match=name):
            read_run(path)
    (path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=name):
        read_run(path)
    (path / name).unlink()
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        read_run(path)


def forge(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change ``run.json`` and make its digest fit again."""
    record = json.loads((path / "run.json").read_text())
    del record["digest"]
    change(record)
    record["digest"] = digest(record, floats=True)
    (path / "run.json").write_text(json.dumps(record))


def test_changed_orders_with_digests_made_to_fit_fail_on_the_order_hash(root: Path) -> None:
    path = write(root)
    orders = np.load(path / "orders.npy")
    orders[0, 6] += 1
    np.save(path / "orders.npy", orders)
    changed = hashlib.sha256((path / "orders.npy").read_bytes()).hexdigest()
    forge(path, lambda record: record["files"].update({"orders.npy": changed}))
    with pytest.raises(DataError, match=r"orders.npy and fills.npy give the order hash [0-9a-f]{64}, run.json"):
        read_run(path)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda r: r.update(schema="coinswarm.run/9"), "schema 'coinswarm.run/9'"),
        (lambda r: r.update(files=[]), "altered or damaged"),
        (lambda r: r.pop("files"), "not the record of a run"),
        (lambda r: r.update(instruments=[]), "give the order hash"),
        (lambda r: r["instruments"][0].update(tick="x"), "do not fit together"),
        (lambda r: r.pop("anchor_ns"), "do not fit together"),
    ],
)
def test_a_record_of_another_shape_is_one_line(
    root: Path, change: Callable[[dict[str, Any]], None], error: str
) -> None:
    path = write(root)
    forge(path, change)
    with pytest.raises(DataError, match=error) as raised:
        read_run(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "7", "[" * 100_000])
def test_text_that_is_no_record_is_one_line(root: Path, text: str) -> None:
    path = write(root)
    (path / "run.json").write_text(text)
    with pytest.raises(DataError, match=r"run.json is not the record of a run"):
        read_run(path)


def test_what_is_added_cannot_hide_the_record(root: Path) -> None:
    with pytest.raises(ValueError, match="files, order_hash cannot be added"):
        write(root, order_hash="x", files={})
    assert not root.exists()


@pytest.mark.parametrize("raised", [KeyboardInterrupt("stop"), OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("where", ["fsync", "rename", "save", "savez_compressed", "mkdir"])
def test_what_goes_wrong_leaves_nothing_half_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, where: str, raised: BaseException
) -> None:
    """Break each call of every kind in turn."""
    owner: Any = {"fsync": os, "rename": Path, "mkdir": Path}.get(where, np)
    real = getattr(owner, where)
    interrupted = isinstance(raised, KeyboardInterrupt)
    expected, expects = (KeyboardInterrupt, "stop") if interrupted else (OutputError, "No space left on device")
    calls = fatal = 0

    def breaks(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == fatal:
            raise raised
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, where, breaks)
    write(root)
    total, calls = calls, 0
    assert total > 0
    for fatal in range(1, total + 1):
        before, calls = list_runs(root), 0
        with pytest.raises(expected, match=expects):
            write(root, at=NOON + fatal * DAY_NS)
        left = {p.name for p in root.iterdir()} - {*before}
        assert all(read_run(root / name).run_id == name for name in left), "a run that is there is whole"


def test_leftovers_are_ignored_and_removed_when_old(root: Path) -> None:
    write(root)
    old, young, other = root / ".tmp-1-0a1b2c3d", root / ".tmp-2-0a1b2c3e", root / ".tmp-thesis"
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "run.json").write_text("{}")
        os.utime(folder, ns=(NOON - 2 * DAY_NS, NOON - 2 * DAY_NS))
    os.utime(young, ns=(NOON - 100, NOON - 100))
    assert len(list_runs(root)) == 1
    write(root, at=NOON)
    assert not old.exists()
    assert young.exists()
    assert other.exists(), "it is not ours"
    assert len(list_runs(root)) == 2


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    for root in (tmp_path / "runs", tmp_path / "runs" / "deeper"):
        with pytest.raises(OutputError, match=r"no run can be written to .*runs.*: name another folder"):
            write(root)
        with pytest.raises(OutputError, match="no run can be written"):
            check_writable(root)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """As a user without rights where the tests run as root."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    code = (
        "import os, sys, pathlib\n"
        "from coinswarm.backtest.rundir import check_writable\n"
        "from coinswarm.errors import OutputError\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: check_writable(pathlib.Path(sys.argv[1]) / 'runs')\n"
        "except OutputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(locked)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "Permission denied" in done.stdout


def test_check_writable_leaves_nothing(root: Path) -> None:
    check_writable(root)
    assert list(root.iterdir()) == []


FULL_DISK = """
import importlib.util, pathlib, resource, sys
spec = importlib.util.spec_from_file_location("rows", sys.argv[1])
rows = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rows)
made = rows.result(marks=200_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    print(rows.write_run(pathlib.Path(sys.argv[2]), made, {}, rows.SimulatedClock(rows.NOON)).name)
except rows.OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file-size limit to fill the disk with")
@pytest.mark.parametrize("limit", [10, 1_000, 1_000_000])
def test_a_full_disk_leaves_nothing_and_is_one_line(root: Path, limit: int) -> None:
    command = [sys.executable, "-c", FULL_DISK, __file__, str(root), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "File too large" in done.stdout
    assert "free some space" in done.stdout
    assert done.stdout.count("\n") == 1
    assert list(root.iterdir()) == []


def test_numbers_are_stored_little_endian_in_row_order(root: Path) -> None:
    wrote = result()
    swapped = RunResult(
        **{name: getattr(wrote, name) for name in RunResult.__slots__ if name not in {"orders", "equity"}},
        orders=np.asfortranarray(wrote.orders).astype(">i8"),
        equity=wrote.equity.astype(">i8"),
    )
    path = write_run(root, swapped, {}, SimulatedClock(NOON))
    assert read_run(path).result.order_hash == wrote.order_hash
    assert np.load(path / "orders.npy").dtype.str == "<i8"
    assert (path / "equity.npy").read_bytes() == (write(root) / "equity.npy").read_bytes()
    assert rundir.RUN_SCHEMA == "coinswarm.run/1"
