"""The file that a graph is kept in beside its database: there whole or not at all, and believed only as it was written.

usearch believes what it loads: a file that was cut short or altered gives wrong neighbours, or ends the process. So its
SHA-256 is kept in the database, which names the file only once it is on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from typing import TYPE_CHECKING, Any

from coinswarm.clock import HOUR_NS, SystemClock
from coinswarm.drivers.graph import restored
from coinswarm.writing import sync_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from coinswarm.drivers.neighbours import Neighbours

LEFT_BEHIND_NS = HOUR_NS
"""A file that no database names was left behind if nobody wrote to it for so long: no process saves one for an hour."""


def new_name(database: Path) -> str:
    """A name that no file has."""
    return f"{database.name}-{secrets.token_hex(8)}.graph"


def written(held: Neighbours, path: Path) -> tuple[int, str]:
    """Put a graph on the disk: the key up to which it holds everything, and the file's SHA-256.

    :raises OSError, RuntimeError: it cannot be written; nothing is left of it.
    """
    try:
        graphed = held.save(path)
        with path.open("rb+") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except BaseException:
        removed(path)
        raise
    return graphed, checksum


def read_back(path: Path, dimension: int, checksum: str | None) -> Any:  # noqa: ANN401 - a usearch index, imported late
    """The graph in a file; None where it is not there, or not as it was written: it can be built anew.

    :param checksum: None where nobody kept one, which is believed as little.
    """
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                return None
    except OSError:
        return None
    return restored(path, dimension)


def removed(path: Path) -> None:
    """Remove a file that nothing names any more; one that cannot be is in nobody's way."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def left_behind(database: Path) -> list[Path]:
    """Files of this database that may have been left behind by a process that died, or a disk that was full.

    What another process is just saving is written to, or was a moment ago, and is none of them.
    """
    is_ours = re.compile(re.escape(database.name) + r"-[0-9a-f]{16}\.graph").fullmatch
    found, now_ns = [], SystemClock().now_ns()
    with contextlib.suppress(OSError):
        for path in database.parent.iterdir():
            with contextlib.suppress(OSError):
                if is_ours(path.name) and now_ns - path.stat().st_mtime_ns > LEFT_BEHIND_NS:
                    found.append(path)
    return found


def swept(paths: Collection[Path], named: Collection[str]) -> None:
    """Remove files that nobody names.

    :param paths: found before it was asked which are named: what was named meanwhile is.
    """
    for path in paths:
        if path.name not in named:
            removed(path)
