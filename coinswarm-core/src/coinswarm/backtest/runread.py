"""Runs read back from disk: found by name, and verified against their digests."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from coinswarm.backtest.rundir import RECALLS, RECORD, REPORT, RUN_SCHEMA, TABLES
from coinswarm.canonical import digest
from coinswarm.domain.instrument import Instrument
from coinswarm.engine.result import RunResult
from coinswarm.errors import DataError, NotReadyError, UnknownNameError, nearest
from coinswarm.memory.recall.record import RecallRecord

_ID = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{8}(-\d+)?")


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


def list_runs(root: Path) -> list[str]:
    """Ids of the finished runs under ``root``, oldest first; none where there is no such folder."""
    try:
        names = sorted(entry.name for entry in root.iterdir() if _ID.fullmatch(entry.name))
    except OSError:
        return []
    return [name for name in names if _recorded(root / name)]


def _recorded(path: Path) -> bool:
    """Whether a folder holds a finished run, or cannot be looked into: who reads it is told why."""
    try:
        return (path / RECORD).is_file()
    except OSError:
        return True


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
    tables = {file: _read_table(path / file, str(record["files"].get(file))) for file in TABLES}
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
            recall=_recall(path, record) if RECALLS in record["files"] else None,
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


def _recall(path: Path, record: dict[str, Any]) -> RecallRecord:
    """What a run with memory recalled."""
    tables, told = _read_table(path / RECALLS, str(record["files"][RECALLS])), record["memory"]
    fork, head = ((int(told[end]["index"]), str(told[end]["digest"])) for end in ("fork", "head"))
    return RecallRecord(
        tables["rows"],
        tables["neighbours"],
        tables["ids"],
        fork,
        head,
        int(told["episodes"]),
        int(told["refused"]),
        tables["earlier"],
        tables["withheld"],
        str(told["log"]),
    )


def check_run(path: Path) -> dict[str, Any]:
    """The record of a run whose files all are what was written; a report that is gone is no fault.

    :raises DataError: when a file is missing, or is not what was written; names it.
    """
    record = _read_record(path)
    for name, wanted in {**dict.fromkeys(TABLES), **record["files"]}.items():
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
