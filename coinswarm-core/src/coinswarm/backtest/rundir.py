"""Runs on disk: written whole or not at all; ``runread`` verifies what it reads.

``runs/<id>/`` holds

- ``run.json``: schema, id, time, order hash, instruments, costs, refusals, what the caller adds, and the
  SHA-256 of every other file and of itself;
- ``orders.npy``, ``fills.npy``: the tables of the order hash (S16);
- ``equity.npy``: int64[T, 3]: bar open time, equity, gross position value at each mark;
- ``decisions.npz``: ``decisions``, ``trades`` and ``reference``, as in ``RunResult``;
- ``recalls.npz``, where there was memory: its tables, as in ``RecallRecord``;
- ``report.html``, unless the caller wants none: the run for people, made from the others.

An id is the UTC time to the millisecond and the first digits of the order hash: ids sort by time, and
runs with equal orders show it. A folder such as ``.tmp-4711-0a1b2c3d`` is a write that did not finish.
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
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

import coinswarm
from coinswarm.canonical import canonical_json, decimal_text, digest
from coinswarm.clock import DAY_NS, iso, to_datetime
from coinswarm.errors import OutputError
from coinswarm.writing import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from coinswarm.clock import Clock
    from coinswarm.engine.result import RunResult
    from coinswarm.memory.recall.record import RecallRecord

RUN_SCHEMA = "coinswarm.run/1"
RECORD = "run.json"
REPORT = "report.html"
RECALLS = "recalls.npz"
TABLES = ("orders.npy", "fills.npy", "equity.npy", "decisions.npz")
_TMP = ".tmp-"
_OURS = re.compile(rf"{re.escape(_TMP)}\d+-[0-9a-f]{{8}}")
"""Names of folders that ``_staged`` makes; others may belong to whoever works there."""

_NO_SPACE = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY)
_LEVELS = 1_000
"""Runs of one millisecond and one order hash that may be told apart by a number."""


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
        tables = TABLES if result.recall is None else (*TABLES, RECALLS)
        record["files"] = {file: _write_table(folder / file, result) for file in tables}
        for number in range(1, _LEVELS):
            record["id"] = name if number == 1 else f"{name}-{number}"
            record.pop("digest", None)
            if report is not None:
                record["files"][REPORT] = _write_bytes(folder / REPORT, report(record))
            record["digest"] = digest(record, floats=True)
            with (folder / RECORD).open("wb") as file:
                file.write(json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n")
                _sync(file)
            sync_folder(folder)
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
        sync_folder(root)
    return root / str(record["id"])


def _record(result: RunResult, now: int) -> dict[str, Any]:
    """What ``run.json`` says of the result itself."""
    recall = {} if result.recall is None else {"memory": _memory(result.recall)}
    return recall | {
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


def _memory(recall: RecallRecord) -> dict[str, Any]:
    """Which part of which log was read, and what was recalled."""
    (begin, first), (end, last) = recall.fork, recall.head
    return {
        "fork": {"index": begin, "digest": first},
        "head": {"index": end, "digest": last},
        "log": recall.log,
        "episodes": recall.episodes,
        "refused": recall.refused,
        "recalls": len(recall.rows),
        "abstained": recall.abstained,
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
            if _OURS.fullmatch(left.name) and now - left.stat().st_mtime_ns > DAY_NS:
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
            np.savez_compressed(buffer, **_archive(result, path.name))
            out.write(buffer.getvalue())
        else:
            np.save(out, _little(_table(result, path.stem)), allow_pickle=False)
        _sync(file)
    return out.state.hexdigest()


def _archive(result: RunResult, name: str) -> dict[str, Any]:
    """The arrays that an archive holds."""
    if name == RECALLS:
        assert result.recall is not None, "a run without memory has no such file"
        recall = result.recall
        names = ("rows", "neighbours", "earlier", "withheld")
        return {"ids": recall.ids, **{name: _little(getattr(recall, name)) for name in names}}
    return {
        "decisions": _little(result.decisions),
        "trades": _little(result.trade_rows),
        "reference": _little(result.reference),
    }


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
