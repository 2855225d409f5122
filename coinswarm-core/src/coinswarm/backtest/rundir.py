"""Runs on disk: written whole or not at all, and verified when they are read.

``runs/<id>/`` holds

- ``run.json``: schema, id, time, order hash, instruments, costs, refusals, what the caller adds, and the
  SHA-256 of every other file and of itself;
- ``orders.npy``, ``fills.npy``: the tables of the order hash (S16);
- ``equity.npy``: int64[T, 3]: bar open time, equity, gross position value at each mark;
- ``decisions.npz``: ``decisions``, ``trades`` and ``reference``, as in ``RunResult``;
- ``report.html``, unless the caller wants none: the run for people, made from the others.

An id is the UTC time to the millisecond and the first digits of the order hash: ids sort by time, and
runs with equal orders show it. A folder that begins with ``.tmp-`` is a write that did not finish.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

import coinswarm
from coinswarm.canonical import canonical_json, decimal_text, digest
from coinswarm.clock import DAY_NS, iso, to_datetime
from coinswarm.domain.instrument import Instrument
from coinswarm.engine.result import RunResult
from coinswarm.errors import DataError, NotReadyError, OutputError, UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from coinswarm.clock import Clock

RUN_SCHEMA = "coinswarm.run/1"
RECORD = "run.json"
REPORT = "report.html"
_TABLES = ("orders.npy", "fills.npy", "equity.npy", "decisions.npz")
_TMP = ".tmp-"
_ID = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{8}(-\d+)?")
_NO_SPACE = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY)
_LEVELS = 1_000
"""Runs of one millisecond and one order hash that may be told apart by a number."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredRun:
    """A run read back and verified.

    :param path: its folder.
    :param record: all of ``run.json``.
    :param result: the run, as the engine gave it.
    """

    path: Path
    record: dict[str, Any]
    result: RunResult

    @property
    def run_id(self) -> str:
        """The id it was written under."""
        return str(self.record["id"])


def check_writable(root: Path) -> None:
    """Fail before a long run rather than after it.

    :raises OutputError: when no run could be written under ``root``.
    """
    with _staged(root) as folder, (folder / "probe").open("xb") as file:
        file.write(b"1")


def write_run(
    root: Path,
    result: RunResult,
    about: Mapping[str, object],
    clock: Clock,
    *,
    report: Callable[[Mapping[str, Any]], bytes] | None = None,
) -> Path:
    """Write a run and return its folder: all of it is there, on disk, or nothing is.

    :param root: the folder of all runs, made if need be; leftovers of killed processes in it that are
        older than a day are removed.
    :param about: what else belongs into ``run.json`` (profile, agents, data, summary …): what canonical
        JSON takes, floats included.
    :param clock: gives the time in the id.
    :param report: makes ``report.html`` from the record, id included; None: the run has none.
    :raises OutputError: when it cannot be written; nothing of it stays.
    :raises ValueError: when ``about`` uses a key of the record itself.
    """
    now = clock.now_ns()
    stamp = to_datetime(now)
    name = f"{stamp:%Y%m%dT%H%M%S}{stamp.microsecond // 1000:03d}Z-{result.order_hash[:8]}"
    record = _record(result, now)
    if clash := sorted({*record, "id", "files", "digest"} & {*about}):
        message = f"{', '.join(clash)} cannot be added to {RECORD}: the record has a field of that name"
        raise ValueError(message)
    record.update(json.loads(canonical_json(dict(about), floats=True)))
    with _staged(root, now) as folder:
        record["files"] = {file: _write_table(folder / file, result) for file in _TABLES}
        for number in range(1, _LEVELS):
            record["id"] = name if number == 1 else f"{name}-{number}"
            record.pop("digest", None)
            if report is not None:
                record["files"][REPORT] = _write_bytes(folder / REPORT, report(record))
            record["digest"] = digest(record, floats=True)
            with (folder / RECORD).open("wb") as file:
                file.write(json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n")
                _sync(file)
            _sync_folder(folder)
            try:
                folder.rename(root / record["id"])
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
            else:
                break
        else:
            message = f"{root} holds {_LEVELS} runs named {name}"
            raise OutputError(message, remedy="name another folder")
        _sync_folder(root)
    return root / str(record["id"])


def _record(result: RunResult, now: int) -> dict[str, Any]:
    """What ``run.json`` says of the result itself."""
    return {
        "schema": RUN_SCHEMA,
        "id": "",
        "created": iso(now),
        "coinswarm": coinswarm.__version__,
        "order_hash": result.order_hash,
        "instruments": [
            {
                "symbol": i.symbol,
                "tick": decimal_text(i.tick),
                "lot": decimal_text(i.lot),
                "min_notional": decimal_text(i.min_notional),
                "shortable": i.shortable,
            }
            for i in result.instruments
        ],
        "anchor_ns": result.anchor_ns,
        "bar_ns": result.bar_ns,
        "cash": result.cash,
        "costs": {name: int(amount) for name, amount in sorted(result.costs.items())},
        "refusals": {reason.name: int(count) for reason, count in sorted(result.refusals.items())},
        "seats": list(result.seats),
        "errors": {name: int(count) for name, count in sorted(result.errors.items())},
        "first_errors": dict(sorted(result.first_errors.items())),
    }


@contextmanager
def _staged(root: Path, now: int = 0) -> Iterator[Path]:
    """A new folder beside the runs that does not survive an error, an interrupt or its own use."""
    folder = root / f"{_TMP}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        _clean(root, now)
        folder.mkdir()
        yield folder
    except OSError as error:
        remedy = "free some space, or name another folder" if error.errno in _NO_SPACE else "name another folder"
        message = f"no run can be written to {root} ({error.strerror or error})"
        raise OutputError(message, remedy=remedy) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # gone already when the run was renamed into place


def _clean(root: Path, now: int) -> None:
    """Remove what killed processes left more than a day ago; another process may do the same."""
    for left in root.glob(f"{_TMP}*"):
        with suppress(OSError):
            if now - left.stat().st_mtime_ns > DAY_NS:
                shutil.rmtree(left, ignore_errors=True)


class _Digesting:
    """Passes bytes on to a file and keeps their SHA-256; numpy writes to it piece by piece."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.state = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write all of ``data``."""
        self.state.update(data)
        return self._file.write(data)


def _write_table(path: Path, result: RunResult) -> str:
    """Write one table; returns the SHA-256 of the file."""
    with path.open("xb") as file:
        out = _Digesting(file)
        if path.suffix == ".npz":
            buffer = io.BytesIO()
            np.savez_compressed(
                buffer,
                decisions=_little(result.decisions),
                trades=_little(result.trade_rows),
                reference=_little(result.reference),
            )
            out.write(buffer.getvalue())
        else:
            np.save(out, _little(_table(result, path.stem)), allow_pickle=False)
        _sync(file)
    return out.state.hexdigest()


def _write_bytes(path: Path, data: bytes) -> str:
    """Write a file; returns its SHA-256."""
    with path.open("wb") as file:
        file.write(data)
        _sync(file)
    return hashlib.sha256(data).hexdigest()


def _table(result: RunResult, name: str) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The table that ``name.npy`` holds."""
    if name == "equity":
        return np.column_stack((result.times_ns, result.equity, result.exposure_units))
    return result.orders if name == "orders" else result.fills


def _little(array: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The array in row order as little-endian int64."""
    return np.ascontiguousarray(array, dtype="<i8")


def _sync(file: BinaryIO) -> None:
    """Put a file's bytes on the disk."""
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk, where the system can (Windows opens no folders)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def list_runs(root: Path) -> list[str]:
    """Ids of the finished runs under ``root``, oldest first; none where there is no such folder."""
    try:
        names = sorted(entry.name for entry in root.iterdir() if _ID.fullmatch(entry.name))
    except OSError:
        return []
    return [name for name in names if (root / name / RECORD).is_file()]


def latest(root: Path) -> Path:
    """The newest run.

    :raises NotReadyError: when there is none.
    """
    runs = list_runs(root)
    if not runs:
        message = f"there is no run in {root}"
        raise NotReadyError(message, remedy="make one with 'coinswarm backtest' or 'coinswarm demo'")
    return root / runs[-1]


def find_run(root: Path, name: str) -> Path:
    """The run that ``name`` means: an id or the beginning of one, ``latest``, or a run's folder.

    :raises NotReadyError: when there is no run at all.
    :raises UnknownNameError: when no run, or more than one, begins so.
    """
    if name == "latest":
        return latest(root)
    if (Path(name) / RECORD).is_file():
        return Path(name)
    runs = list_runs(root)
    found = [run for run in runs if run == name] or [run for run in runs if name and run.startswith(name)]
    if len(found) == 1:
        return root / found[0]
    if found:
        message = f"{len(found)} runs in {root} begin with {name!r}"
        raise UnknownNameError(message, remedy=f"name one whole, for example {found[-1]}")
    if not runs:
        latest(root)
    message = f"no run in {root} is called {name!r}"
    close = nearest(name, runs)
    raise UnknownNameError(message, remedy=close if close.startswith("did") else f"the newest is {runs[-1]}")


def read_run(path: Path) -> StoredRun:
    """Read a run back; every file is held against its digest, and the order hash is recomputed.

    :raises DataError: when a file is missing, or is not what was written; names it.
    """
    record = _read_record(path)
    tables = {file: _read_table(path / file, str(record["files"].get(file))) for file in _TABLES}
    try:
        instruments = tuple(
            Instrument(
                i["symbol"], Decimal(i["tick"]), Decimal(i["lot"]), Decimal(i["min_notional"]), bool(i["shortable"])
            )
            for i in record["instruments"]
        )
        marks, more = tables["equity.npy"][""], tables["decisions.npz"]
        result = RunResult(
            instruments=instruments,
            anchor_ns=int(record["anchor_ns"]),
            bar_ns=int(record["bar_ns"]),
            cash=int(record["cash"]),
            orders=tables["orders.npy"][""],
            fills=tables["fills.npy"][""],
            reference=more["reference"],
            times_ns=marks[:, 0],
            equity=marks[:, 1],
            exposure_units=marks[:, 2],
            decisions=more["decisions"],
            trade_rows=more["trades"],
            costs=record["costs"],
            seats=tuple(record["seats"]),
            errors=record["errors"],
            first_errors=record.get("first_errors", {}),
        )
        found = result.order_hash
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError) as error:
        message = f"run {path.name}: its files do not fit together ({type(error).__name__}: {error})"
        raise DataError(message, remedy="make the run again") from error
    if found != record["order_hash"]:
        said = record["order_hash"]
        message = f"run {path.name}: orders.npy and fills.npy give the order hash {found}, {RECORD} says {said}"
        raise DataError(message, remedy="the run was altered: make it again")
    return StoredRun(path, record, result)


def check_run(path: Path) -> dict[str, Any]:
    """The record of a run whose files all are what was written; a report that is gone is no fault.

    :raises DataError: when a file is missing, or is not what was written; names it.
    """
    record = _read_record(path)
    for name, wanted in {**dict.fromkeys(_TABLES), **record["files"]}.items():
        if name != REPORT or (path / name).exists():
            _read_checked(path / name, str(wanted))
    return record


def _read_record(path: Path) -> dict[str, Any]:
    """``run.json``, held against its own digest."""
    data = _read_bytes(path / RECORD)
    try:
        record = json.loads(data)
        wanted = record.pop("digest")
        schema = record["schema"]
        fits = wanted == digest(record, floats=True)
        files = record["files"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{path / RECORD} is not the record of a run ({type(error).__name__}: {error})"
        raise DataError(message, remedy="make the run again") from error
    if schema != RUN_SCHEMA:
        message = f"{path / RECORD} has the schema {schema!r}, but this Coinswarm reads {RUN_SCHEMA!r}"
        raise DataError(message, remedy="read it with the Coinswarm that wrote it")
    if not (fits and isinstance(files, dict)):
        message = f"{path / RECORD} was altered or damaged: its digest is not {wanted}"
        raise DataError(message, remedy="make the run again")
    record["digest"] = wanted
    return dict(record)


def _read_table(path: Path, wanted: str) -> dict[str, Any]:
    """The arrays of one file, held against its digest; a ``.npy`` file's only array has the name ''."""
    loaded = np.load(io.BytesIO(_read_checked(path, wanted)), allow_pickle=False)
    return {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}


def _read_checked(path: Path, wanted: str) -> bytes:
    """The bytes of a file, held against its digest."""
    data = _read_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        message = f"{path} was altered or damaged: its SHA-256 is {found}, {RECORD} says {wanted}"
        raise DataError(message, remedy="make the run again")
    return data


def _read_bytes(path: Path) -> bytes:
    """A file of a run.

    :raises DataError: when it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror or error})"
        raise DataError(message, remedy="name the folder of a finished run") from error
