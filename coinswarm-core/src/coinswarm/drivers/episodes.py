"""The memory backend ``local``: episodes in one SQLite file, vectors in memory (docs/memory.md).

The file is what counts: a write is one transaction with its log position, and shows in memory after that. What another
process wrote is read again at the next call. The graph over a large space is kept in a file beside it, named by the
database; without it recall looks at every vector until the next write, or ``optimize``, builds it anew.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.lowlevel
import numpy as np
from anyio import to_thread

from coinswarm.contracts import MemoryBackend
from coinswarm.domain.episode import Episode, LogPosition, Match, MemoryInfo, MemoryStats, Space
from coinswarm.domain.health import Condition, Health
from coinswarm.drivers.finishing import finished
from coinswarm.drivers.graph import restored
from coinswarm.drivers.neighbours import Neighbours
from coinswarm.drivers.settings import LocalMemorySettings
from coinswarm.drivers.sqlite import SqliteFile
from coinswarm.errors import CoinswarmError, DataError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Coroutine, Sequence

    from coinswarm.domain.episode import Filter
    from coinswarm.drivers.neighbours import Vector, Vectors

T = TypeVar("T")

COLUMNS = tuple(field.name for field in fields(Episode))
_LISTED = ", ".join(COLUMNS)
_VALUES = attrgetter(*COLUMNS)

SCHEMA = """
CREATE TABLE IF NOT EXISTS space (
    number INTEGER PRIMARY KEY AUTOINCREMENT, swarm TEXT NOT NULL, name TEXT NOT NULL, dimension INTEGER NOT NULL,
    applied INTEGER, digest TEXT, graph TEXT, graphed INTEGER, UNIQUE (swarm, name, dimension)
);
CREATE TABLE IF NOT EXISTS episode (
    key INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL REFERENCES space, vector BLOB NOT NULL,
    id TEXT NOT NULL, agent TEXT NOT NULL, instrument TEXT NOT NULL, side INTEGER NOT NULL,
    decided_ns INTEGER NOT NULL, known_ns INTEGER NOT NULL, result_ppm INTEGER NOT NULL, risk_ppm INTEGER NOT NULL,
    stopped INTEGER NOT NULL, regime TEXT NOT NULL, quality_bp INTEGER NOT NULL, UNIQUE (space, id)
);
"""
# AUTOINCREMENT: a key is never used twice, so that a graph of an earlier day knows no row by a wrong name.

YIELD_NS = 1_000_000
"""Recalls, which wait for nothing, let others run after so many nanoseconds of them."""

SAVED_AFTER, SAVED_SHARE = 1_000, 0.05
"""The graph is written to its file when it has grown by so many rows, and by that share of all."""


class LocalMemory(MemoryBackend):
    """Exact up to ``exact_entries`` a space, by a graph (HNSW) above; distances are exact in both."""

    def __init__(self, settings: LocalMemorySettings | None = None) -> None:
        self._settings = settings or LocalMemorySettings()
        self._file = SqliteFile(self._settings, SCHEMA, signed=True)
        self._opened = False
        self._held: dict[Space, Neighbours] = {}
        self._version = 0
        self._unsaved: dict[Space, int] = {}
        self._turn = anyio.Lock()
        """Held by whoever writes, or loads a space: what was committed shows in memory in the same order."""
        self._recalls = self._remembered = self._updated = self._forgotten = self._recall_ns = 0
        self._kept_ns = 0

    def get_config(self) -> dict[str, Any]:
        """The settings in force."""
        return self._settings.model_dump(mode="json")

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes, all or none."""
        rows = [(episode, space.unit(vector)) for episode, vector in zip(episodes, vectors, strict=True)]

        def work(connection: sqlite3.Connection) -> list[int]:
            number = _advanced(connection, space, at)
            if number is None:
                return []
            marks = ", ".join("?" * (len(COLUMNS) + 2))
            query = f"INSERT OR REPLACE INTO episode (space, vector, {_LISTED}) VALUES ({marks})"  # noqa: S608 - our own names
            return [
                connection.execute(query, (number, unit.tobytes(), *_VALUES(episode))).lastrowid or 0
                for episode, unit in rows
            ]

        async def write() -> None:
            keys = await self._written(work)
            held = self._held.get(space)
            if held is not None:
                held.reserve(len(keys))
                for key, (episode, unit) in zip(keys, rows[: len(keys)], strict=True):
                    held.put(key, episode, unit)
            self._remembered += len(keys)
            if keys and held is not None:
                await self._grow(space, held)

        await self._alone(write)

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """The nearest of those that count; exact where ``info`` says so."""
        if self._kept_ns > YIELD_NS:
            self._kept_ns = 0
            await anyio.lowlevel.checkpoint()
        began = time.perf_counter_ns()
        asked = space.asked(vector)
        held = self._held.get(space)
        if held is None or not self._file.is_version(self._version):
            held = await self._neighbours(space)
        found = held.nearest(asked, k, as_of_ns, where)
        took = time.perf_counter_ns() - began
        self._recalls += 1
        self._recall_ns += took
        self._kept_ns += took
        return found

    async def get(self, space: Space, episode_id: str) -> Episode | None:
        """What is remembered under that id."""
        query = (
            f"SELECT {_LISTED} FROM episode e JOIN space s ON s.number = e.space"  # noqa: S608 - our own names
            " WHERE s.swarm = ? AND s.name = ? AND s.dimension = ? AND e.id = ?"
        )
        await self._ready()
        row = await self._file.read(lambda c: c.execute(query, (*_named(space), episode_id)).fetchone())
        return _episode(row) if row else None

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace an episode, not its vector."""

        def work(connection: sqlite3.Connection) -> tuple[bool, bool]:
            there = _is_there(connection, space, episode.id)
            number = _advanced(connection, space, at)
            if number is not None and there:
                changes = ", ".join(f"{name} = ?" for name in COLUMNS)
                query = f"UPDATE episode SET {changes} WHERE space = ? AND id = ?"  # noqa: S608 - our own names
                connection.execute(query, (*_VALUES(episode), number, episode.id))
            return there, number is not None

        async def write() -> bool:
            there, applied = await self._written(work)
            if there and applied:
                self._updated += 1
                if space in self._held:
                    self._held[space].change(episode)
            return there

        return await self._alone(write)

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        """Remove an episode."""

        def work(connection: sqlite3.Connection) -> tuple[bool, bool]:
            there = _is_there(connection, space, episode_id)
            number = _advanced(connection, space, at)
            if number is not None and there:
                connection.execute("DELETE FROM episode WHERE space = ? AND id = ?", (number, episode_id))
            return there, number is not None

        async def write() -> bool:
            there, applied = await self._written(work)
            if there and applied:
                self._forgotten += 1
                held = self._held.get(space)
                if held is not None:
                    held.drop(episode_id)
                    await self._grow(space, held)
            return there

        return await self._alone(write)

    async def clear(self, space: Space) -> None:
        """Remove everything of a space, its graph too."""

        def work(connection: sqlite3.Connection) -> str | None:
            row = _found(connection, space)
            if row is None:
                return None
            number, _, _, graph, _ = row
            connection.execute("DELETE FROM episode WHERE space = ?", (number,))
            connection.execute("DELETE FROM space WHERE number = ?", (number,))
            return graph

        async def write() -> None:
            graph = await self._written(work)
            self._held.pop(space, None)
            self._unsaved.pop(space, None)
            if graph and self._settings.path is not None:
                await anyio.Path(self._settings.path.parent / graph).unlink(missing_ok=True)

        await self._alone(write)

    async def info(self, space: Space) -> MemoryInfo:
        """What it holds of a space."""
        held = await self._neighbours(space)
        row = await self._file.read(lambda connection: _found(connection, space))
        return MemoryInfo(len(held), held.size_bytes, held.exact, _position(row))

    async def stats(self) -> MemoryStats:
        """What it did since it was made."""
        return MemoryStats(self._recalls, self._remembered, self._updated, self._forgotten, self._recall_ns)

    async def health(self) -> Health:
        """Whether the file can be read."""
        try:
            await self._ready()
        except CoinswarmError as error:
            return Health(Condition.DOWN, str(error))
        return await self._file.health()

    async def optimize(self, space: Space) -> None:
        """Let go of what is dead, complete the graph, and write it to its file."""

        async def tidy() -> None:
            held = self._held.get(space)
            if held is None:  # another process wrote this moment: its own writes keep the graph
                return
            anew = held.dead > 0
            held.compact()
            await self._grow(space, held, anew=anew)
            await self._save(space, held)

        await self._neighbours(space)
        await self._alone(tidy)

    async def close(self) -> None:
        """Write graphs that have grown, and let go of the file."""

        async def close() -> None:
            for space in [space for space, count in self._unsaved.items() if count]:
                await self._save(space, self._held[space])
            self._held.clear()
            self._unsaved.clear()
            self._opened = False
            await self._file.close()

        async with self._turn:
            await finished(close)

    async def _alone(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What it answers; nobody else writes or loads meanwhile. Once begun it ends, though its caller is cancelled:

        what was committed, and memory did not learn of, would never be found.
        """
        await self._ready()
        async with self._turn:
            return await finished(work)

    async def _written(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What one transaction answers; what another process wrote before it is read again at the next call.

        A graph must not be said to hold every row up to a key while rows of others below that key are not in it.
        """

        def counted(connection: sqlite3.Connection) -> tuple[T, int]:
            return work(connection), _data_version(connection)

        answer, version = await self._file.write(counted)
        if version != self._version:
            self._held.clear()
            self._unsaved.clear()
        return answer

    async def _ready(self) -> None:
        """Open the file where it is not open: at the first call."""

        async def open_file() -> None:
            await self._file.open()
            self._version = await self._file.version()
            self._opened = True

        if not self._opened:
            async with self._turn:
                if not self._opened:
                    await finished(open_file)

    async def _neighbours(self, space: Space) -> Neighbours:
        """A space as the file has it now."""
        if not self._opened:
            await self._ready()
        held = self._held.get(space)
        if held is not None and self._file.is_version(self._version):
            return held
        async with self._turn:
            version = await self._file.version()
            if version != self._version:
                self._held.clear()
                self._unsaved.clear()
                self._version = version
            if space not in self._held:
                self._held[space] = await self._file.read(lambda connection: self._loaded(connection, space))
            return self._held[space]

    def _loaded(self, connection: sqlite3.Connection, space: Space) -> Neighbours:
        """A space from the file, and its graph, if there is one that lacks little."""
        held = Neighbours(space.dimension, self._settings.exact_entries)
        row = _found(connection, space)
        if row is None:
            return held
        number, _, _, graph, graphed = row
        held.reserve(connection.execute("SELECT count(*) FROM episode WHERE space = ?", (number,)).fetchone()[0])
        query = f"SELECT key, vector, {_LISTED} FROM episode WHERE space = ? ORDER BY key"  # noqa: S608 - our own names
        for key, vector, *told in connection.execute(query, (number,)):
            held.put(key, _episode(told), np.frombuffer(vector, np.float32))
        if graph and self._settings.path is not None:
            found = restored(self._settings.path.parent / graph, space.dimension)
            if found is not None:
                held.adopt(found, graphed)
                growth = held.growth()
                if growth is not None and growth.anew:
                    held.set_aside()  # the next write builds it
                elif growth is not None:
                    growth.run(self._settings.graph_threads)
                    held.adopt(growth.graph, growth.graphed)
        return held

    async def _grow(self, space: Space, held: Neighbours, *, anew: bool = False) -> None:
        """Add to the graph what it lacks; a graph that takes long grows in a thread, and recall is exact meanwhile."""
        if held.dead > len(held):
            held.compact()
        growth = held.growth(anew=anew)
        if growth is None:
            return
        if growth.quick:
            growth.run()
        else:
            held.set_aside()
            await to_thread.run_sync(growth.run, self._settings.graph_threads)
        held.adopt(growth.graph, growth.graphed)
        self._unsaved[space] = self._unsaved.get(space, 0) + len(growth.rows)
        if self._unsaved[space] >= max(SAVED_AFTER, SAVED_SHARE * len(held)):
            await self._save(space, held)

    async def _save(self, space: Space, held: Neighbours) -> None:
        """Write the graph to a new file, name it in the database, and only then remove the old one."""
        path = self._settings.path
        if path is None or not held.has_graph:
            return
        name = f"{path.name}-{secrets.token_hex(8)}.graph"
        graphed = await to_thread.run_sync(held.save, path.parent / name)

        def work(connection: sqlite3.Connection) -> str | None:
            row = _found(connection, space)
            if row is None or _data_version(connection) != self._version:
                return name  # somebody else wrote meanwhile: this graph may lack what it should hold
            connection.execute("UPDATE space SET graph = ?, graphed = ? WHERE number = ?", (name, graphed, row[0]))
            return row[3]

        old = await self._file.write(work)
        self._unsaved[space] = 0
        if old:
            await anyio.Path(path.parent / old).unlink(missing_ok=True)


def _data_version(connection: sqlite3.Connection) -> int:
    """A number that is another one once another connection has written."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _named(space: Space) -> tuple[str, str, int]:
    """How the file knows a space."""
    return space.swarm, space.name, space.dimension


def _found(connection: sqlite3.Connection, space: Space) -> tuple[int, int | None, str | None, str | None, int] | None:
    """A space's number, the position applied, and its graph's file and last key; None where nobody used it."""
    query = "SELECT number, applied, digest, graph, graphed FROM space WHERE swarm = ? AND name = ? AND dimension = ?"
    found: tuple[int, int | None, str | None, str | None, int] | None
    found = connection.execute(query, _named(space)).fetchone()
    return found


def _position(row: tuple[int, int | None, str | None, str | None, int] | None) -> LogPosition | None:
    """The last log entry that changed a space."""
    return LogPosition(row[1], row[2]) if row and row[1] is not None and row[2] is not None else None


def _advanced(connection: sqlite3.Connection, space: Space, at: LogPosition | None) -> int | None:
    """The number of a space that is about to change, its position moved; None where that was applied already.

    :raises DataError: the position was applied, of another history.
    """
    applied = _position(_found(connection, space))
    if at is not None and applied is not None and at.index <= applied.index:
        if at.index == applied.index and at.digest != applied.digest:
            message = f"{space.name} was folded from another log: entry {at.index:,} is {applied.digest[:12]} in it"
            raise DataError(message, remedy="clear the space and fold the log anew")
        return None
    connection.execute("INSERT OR IGNORE INTO space (swarm, name, dimension) VALUES (?, ?, ?)", _named(space))
    row = _found(connection, space)
    assert row is not None, "it was inserted"
    if at is not None:
        connection.execute("UPDATE space SET applied = ?, digest = ? WHERE number = ?", (at.index, at.digest, row[0]))
    return row[0]


def _is_there(connection: sqlite3.Connection, space: Space, episode_id: str) -> bool:
    """Whether an episode is in a space."""
    row = _found(connection, space)
    query = "SELECT 1 FROM episode WHERE space = ? AND id = ?"
    return row is not None and connection.execute(query, (row[0], episode_id)).fetchone() is not None


def _episode(row: Sequence[Any]) -> Episode:
    """An episode from its columns."""
    told = dict(zip(COLUMNS, row, strict=True))
    return Episode(**{**told, "stopped": bool(told["stopped"])})
