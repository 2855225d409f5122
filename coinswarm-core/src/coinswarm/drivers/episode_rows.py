"""The rows of the memory backend ``local`` in its SQLite file: spaces, their place in the log, their episodes."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from coinswarm.domain.episode import Episode, LogPosition
from coinswarm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coinswarm.domain.episode import Space
    from coinswarm.drivers.neighbours import Neighbours

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

COLUMNS = tuple(field.name for field in fields(Episode))
_LISTED = ", ".join(COLUMNS)
_VALUES = attrgetter(*COLUMNS)

SCHEMA = """
CREATE TABLE IF NOT EXISTS space (
    number INTEGER PRIMARY KEY AUTOINCREMENT, swarm TEXT NOT NULL, name TEXT NOT NULL, dimension INTEGER NOT NULL,
    applied INTEGER, digest TEXT, graph TEXT, graphed INTEGER, checksum TEXT, UNIQUE (swarm, name, dimension)
);
CREATE TABLE IF NOT EXISTS episode (
    key INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL REFERENCES space, vector BLOB NOT NULL,
    id TEXT NOT NULL, agent TEXT NOT NULL, instrument TEXT NOT NULL, side INTEGER NOT NULL,
    decided_ns INTEGER NOT NULL, known_ns INTEGER NOT NULL, result_ppm INTEGER NOT NULL, risk_ppm INTEGER NOT NULL,
    stopped INTEGER NOT NULL, regime TEXT NOT NULL, quality_bp INTEGER NOT NULL, UNIQUE (space, id)
);
"""
# AUTOINCREMENT: a key is never used twice, so that a graph of an earlier day knows no row by a wrong name.


class SpaceRow(NamedTuple):
    """A space.

    :param applied, digest: the last log entry that changed it.
    :param graph, graphed: the file of its graph, and the key up to which it holds everything.
    :param checksum: the SHA-256 of that file; None where an older version wrote it.
    """

    number: int
    applied: int | None
    digest: str | None
    graph: str | None
    graphed: int | None
    checksum: str | None


def brought_up(connection: sqlite3.Connection) -> None:
    """Add what a file of an older version lacks, in a transaction."""
    if not lacks(connection):
        return  # another process did meanwhile
    connection.execute("ALTER TABLE space ADD COLUMN checksum TEXT")


def lacks(connection: sqlite3.Connection) -> bool:
    """Whether the file is of a version that kept no checksums."""
    return "checksum" not in {row[1] for row in connection.execute("PRAGMA table_info (space)")}


def data_version(connection: sqlite3.Connection) -> int:
    """A number that is another one once another connection has written."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def named_graphs(connection: sqlite3.Connection) -> set[str]:
    """The files of all graphs that there should be."""
    return {row[0] for row in connection.execute("SELECT graph FROM space WHERE graph IS NOT NULL")}


def found(connection: sqlite3.Connection, space: Space) -> SpaceRow | None:
    """A space; None where nobody used it."""
    columns = ", ".join(SpaceRow._fields)
    query = f"SELECT {columns} FROM space WHERE swarm = ? AND name = ? AND dimension = ?"  # noqa: S608 - our own names
    row = connection.execute(query, _named(space)).fetchone()
    return None if row is None else SpaceRow(*row)


def position(space: Space, row: SpaceRow | None) -> LogPosition | None:
    """The last log entry that changed a space.

    :raises DataError: it is none.
    """
    if row is None or row.applied is None or row.digest is None:
        return None
    try:
        return LogPosition(row.applied, row.digest)
    except ValueError as error:
        raise _damaged(space, "the log entry that it stands at", error) from error


def advanced(connection: sqlite3.Connection, space: Space, at: LogPosition | None) -> int | None:
    """The number of a space that is about to change, its position moved; None where that was applied already.

    :raises DataError: the position was applied, of another history; or is none.
    """
    applied = position(space, found(connection, space)) if at is not None else None
    if at is not None and applied is not None and at.index <= applied.index:
        if at.index == applied.index and at.digest != applied.digest:
            message = f"{space.name} was folded from another log: entry {at.index:,} is {applied.digest[:12]} in it"
            raise DataError(message, remedy="clear the space and fold the log anew")
        return None
    connection.execute("INSERT OR IGNORE INTO space (swarm, name, dimension) VALUES (?, ?, ?)", _named(space))
    row = found(connection, space)
    assert row is not None, "it was inserted"
    if at is not None:
        query = "UPDATE space SET applied = ?, digest = ? WHERE number = ?"
        connection.execute(query, (at.index, at.digest, row.number))
    return row.number


def put(connection: sqlite3.Connection, number: int, episode: Episode, unit: bytes) -> int:
    """Write an episode, and what was there before away; its key."""
    marks = ", ".join("?" * (len(COLUMNS) + 2))
    query = f"INSERT OR REPLACE INTO episode (space, vector, {_LISTED}) VALUES ({marks})"  # noqa: S608 - our own names
    return connection.execute(query, (number, unit, *_VALUES(episode))).lastrowid or 0


def change(connection: sqlite3.Connection, number: int, episode: Episode) -> None:
    """Replace an episode, not its vector."""
    changes = ", ".join(f"{name} = ?" for name in COLUMNS)
    query = f"UPDATE episode SET {changes} WHERE space = ? AND id = ?"  # noqa: S608 - our own names
    connection.execute(query, (*_VALUES(episode), number, episode.id))


def is_there(connection: sqlite3.Connection, space: Space, episode_id: str) -> bool:
    """Whether an episode is in a space."""
    row = found(connection, space)
    query = "SELECT 1 FROM episode WHERE space = ? AND id = ?"
    return row is not None and connection.execute(query, (row.number, episode_id)).fetchone() is not None


def one(connection: sqlite3.Connection, space: Space, episode_id: str) -> Episode | None:
    """An episode, or None where it is not there.

    :raises DataError: it is none.
    """
    query = (
        f"SELECT {_LISTED} FROM episode e JOIN space s ON s.number = e.space"  # noqa: S608 - our own names
        " WHERE s.swarm = ? AND s.name = ? AND s.dimension = ? AND e.id = ?"
    )
    with _legible(space):
        row = connection.execute(query, (*_named(space), episode_id)).fetchone()
    return None if row is None else _episode(space, row)


def fill(connection: sqlite3.Connection, space: Space, held: Neighbours) -> SpaceRow | None:
    """Put every episode of a space where it is recalled from, and its position: all of one moment.

    :raises DataError: a row, or the position, is none.
    """
    connection.execute("BEGIN")
    try:
        row = found(connection, space)
        if row is None:
            return None
        held.applied = position(space, row)
        [count] = connection.execute("SELECT count(*) FROM episode WHERE space = ?", (row.number,)).fetchone()
        held.reserve(count)
        query = f"SELECT key, vector, {_LISTED} FROM episode WHERE space = ? ORDER BY key"  # noqa: S608 - our own names
        with _legible(space):
            for key, vector, *told in connection.execute(query, (row.number,)):
                episode = _episode(space, told)
                if not isinstance(vector, bytes) or len(vector) != 4 * space.dimension:
                    raise _damaged(space, f"the vector of episode {episode.id[:12]}", "it is of another width")
                held.put(key, episode, np.frombuffer(vector, np.float32))
    finally:
        connection.execute("COMMIT")
    if not held.sound():
        raise _damaged(space, "a vector", "its length is not 1")
    return row


def _named(space: Space) -> tuple[str, str, int]:
    """How the file knows a space."""
    return space.swarm, space.name, space.dimension


def _episode(space: Space, row: Sequence[Any]) -> Episode:
    """An episode from its columns."""
    told = dict(zip(COLUMNS, row, strict=True))
    try:
        return Episode(**{**told, "stopped": bool(told["stopped"])})
    except ValueError as error:
        raise _damaged(space, f"episode {str(told['id'])[:12]!r}", error) from error


@contextmanager
def _legible(space: Space) -> Iterator[None]:
    """Where rows are read: text that is none is no trouble of SQLite's, which has a code for each of its own."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if hasattr(error, "sqlite_errorcode"):
            raise
        raise _damaged(space, "a row", error) from error


def _damaged(space: Space, what: str, why: object) -> DataError:
    return DataError(
        f"{what} of {space.name} is not as it was written ({why})",
        remedy="clear the space and fold the log anew (coinswarm memory rebuild)",
    )
