"""The memory backend ``local``: episodes in one SQLite file, vectors in memory (docs/memory.md).

The file is what counts: a write is one transaction with its log position, and shows in memory after that. What another
process wrote is read again at the next call. The graph over a large space is kept in a file beside it, named by the
database; without it recall looks at every vector until the next write, or ``optimize``, builds it anew.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.lowlevel
from anyio import to_thread

from coinswarm.contracts import MemoryBackend
from coinswarm.domain.episode import MemoryInfo, MemoryStats
from coinswarm.domain.health import Condition, Health
from coinswarm.drivers import episode_rows as rows
from coinswarm.drivers import graph_file
from coinswarm.drivers.finishing import finished
from coinswarm.drivers.neighbours import Neighbours
from coinswarm.drivers.settings import LocalMemorySettings
from coinswarm.drivers.sqlite import SqliteFile
from coinswarm.errors import CoinswarmError, DataError, one_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Coroutine, Sequence

    from coinswarm.domain.episode import Episode, Filter, LogPosition, Match, Space
    from coinswarm.drivers.neighbours import Vector, Vectors

T = TypeVar("T")

YIELD_NS = 1_000_000
"""Recalls, which wait for nothing, let others run after so many nanoseconds of them."""

SAVED_AFTER, SAVED_SHARE = 1_000, 0.05
"""The graph is written to its file when it has grown by so many rows, and by that share of all."""


class LocalMemory(MemoryBackend):
    """Exact up to ``exact_entries`` a space, by a graph (HNSW) above; distances are exact in both."""

    def __init__(self, settings: LocalMemorySettings | None = None) -> None:
        self._settings = settings or LocalMemorySettings()
        self._file = SqliteFile(self._settings, rows.SCHEMA, signed=True)
        self._opened = False
        self._held: dict[Space, Neighbours] = {}
        self._version = 0
        self._unsaved: dict[Space, int] = {}
        self._troubles: dict[Space, str] = {}
        """What keeps a space from being read, or its graph from its file."""
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
        told = [(episode, space.unit(vector)) for episode, vector in zip(episodes, vectors, strict=True)]

        def work(connection: sqlite3.Connection) -> list[int] | None:
            number = rows.advanced(connection, space, at)
            if number is None:
                return None
            return [rows.put(connection, number, episode, unit.tobytes()) for episode, unit in told]

        async def write() -> None:
            keys = await self._written(work)
            if keys is None:
                return
            self._remembered += len(keys)
            held = self._moved(space, at)
            if held is not None and keys:
                held.reserve(len(keys))
                for key, (episode, unit) in zip(keys, told, strict=True):
                    held.put(key, episode, unit)
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
        await self._ready()
        return await self._file.read(lambda connection: rows.one(connection, space, episode_id))

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace an episode, not its vector."""

        def work(connection: sqlite3.Connection) -> tuple[bool, bool]:
            there = rows.is_there(connection, space, episode.id)
            number = rows.advanced(connection, space, at)
            if number is not None and there:
                rows.change(connection, number, episode)
            return there, number is not None

        async def write() -> bool:
            there, applied = await self._written(work)
            held = self._moved(space, at) if applied else None
            if there and applied:
                self._updated += 1
                if held is not None:
                    held.change(episode)
            return there

        return await self._alone(write)

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        """Remove an episode."""

        def work(connection: sqlite3.Connection) -> tuple[bool, bool]:
            there = rows.is_there(connection, space, episode_id)
            number = rows.advanced(connection, space, at)
            if number is not None and there:
                connection.execute("DELETE FROM episode WHERE space = ? AND id = ?", (number, episode_id))
            return there, number is not None

        async def write() -> bool:
            there, applied = await self._written(work)
            held = self._moved(space, at) if applied else None
            if there and applied:
                self._forgotten += 1
                if held is not None:
                    held.drop(episode_id)
                    await self._grow(space, held)
            return there

        return await self._alone(write)

    async def clear(self, space: Space) -> None:
        """Remove everything of a space, its graph too."""

        def work(connection: sqlite3.Connection) -> str | None:
            row = rows.found(connection, space)
            if row is None:
                return None
            connection.execute("DELETE FROM episode WHERE space = ?", (row.number,))
            connection.execute("DELETE FROM space WHERE number = ?", (row.number,))
            return row.graph

        async def write() -> None:
            graph = await self._written(work)
            self._held.pop(space, None)
            self._unsaved.pop(space, None)
            self._troubles.pop(space, None)
            if graph and self._settings.path is not None:
                await to_thread.run_sync(graph_file.removed, self._settings.path.parent / graph)

        await self._alone(write)

    async def info(self, space: Space) -> MemoryInfo:
        """What it holds of a space."""
        held = await self._neighbours(space)
        return MemoryInfo(len(held), held.size_bytes, held.exact, held.applied)

    async def stats(self) -> MemoryStats:
        """What it did since it was made."""
        return MemoryStats(self._recalls, self._remembered, self._updated, self._forgotten, self._recall_ns)

    async def health(self) -> Health:
        """Whether the file can be read, and graphs written."""
        try:
            await self._ready()
        except CoinswarmError as error:
            return Health(Condition.DOWN, str(error))
        health = await self._file.health()
        trouble = next(iter(self._troubles.values()), "")
        return Health(Condition.IMPAIRED, trouble) if trouble and health.condition is Condition.GOOD else health

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
            try:
                for space, held in list(self._held.items()):
                    if self._unsaved.get(space) or space in self._troubles:
                        await self._save(space, held)
            finally:
                self._held.clear()
                self._unsaved.clear()
                self._troubles.clear()
                self._opened = False
                await self._file.close()

        async with self._turn:
            await finished(close)

    async def _alone(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What it answers; nobody else writes or loads meanwhile. Once begun it ends, though its caller is cancelled.

        What was committed, and memory did not learn of, would never be found.
        """
        await self._ready()
        async with self._turn:
            return await finished(work)

    async def _written(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What one transaction answers; what another process wrote before it is read again at the next call.

        A graph must not be said to hold every row up to a key while rows of others below that key are not in it.
        """

        def counted(connection: sqlite3.Connection) -> tuple[T, int]:
            return work(connection), rows.data_version(connection)

        answer, version = await self._file.write(counted)
        if version != self._version:
            self._held.clear()
            self._unsaved.clear()
        return answer

    def _moved(self, space: Space, at: LogPosition | None) -> Neighbours | None:
        """What memory holds of a space that was written to, its position moved."""
        held = self._held.get(space)
        if held is not None and at is not None:
            held.applied = at
        return held

    async def _ready(self) -> None:
        """Open the file where it is not open: at the first call."""

        async def open_file() -> None:
            await self._file.open()
            try:
                if await self._file.read(rows.lacks):
                    await self._file.write(rows.brought_up)
                if self._settings.path is not None:
                    left = await to_thread.run_sync(graph_file.left_behind, self._settings.path)
                    if left:
                        await to_thread.run_sync(graph_file.swept, left, await self._file.read(rows.named_graphs))
                self._version = await self._file.version()
            except BaseException:
                await self._file.close()
                raise
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
                try:
                    self._held[space] = await self._file.read(lambda connection: self._loaded(connection, space))
                except DataError as error:
                    self._troubles[space] = str(error)
                    raise
                self._troubles.pop(space, None)
            return self._held[space]

    def _loaded(self, connection: sqlite3.Connection, space: Space) -> Neighbours:
        """A space from the file, and its graph, if there is one that lacks little."""
        held = Neighbours(space.dimension, self._settings.exact_entries)
        row = rows.fill(connection, space, held)
        if row is None or row.graph is None or row.graphed is None or self._settings.path is None:
            return held
        graph = graph_file.read_back(self._settings.path.parent / row.graph, space.dimension, row.checksum)
        if graph is not None:
            held.adopt(graph, row.graphed)
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
        """Write the graph to a new file, name it in the database, and only then remove the old one.

        Where it cannot be written the old one stays: what was committed is committed, and a graph can be built anew.
        """
        path = self._settings.path
        if path is None or not held.has_graph:
            return
        name = graph_file.new_name(path)

        def work(connection: sqlite3.Connection) -> str | None:
            row = rows.found(connection, space)
            if row is None or rows.data_version(connection) != self._version:
                return name  # somebody else wrote meanwhile: this graph may lack what it should hold
            query = "UPDATE space SET graph = ?, graphed = ?, checksum = ? WHERE number = ?"
            connection.execute(query, (name, graphed, checksum, row.number))
            return row.graph

        try:
            graphed, checksum = await to_thread.run_sync(graph_file.written, held, path.parent / name)
            old = await self._file.write(work)
        except (OSError, RuntimeError, CoinswarmError) as error:
            old = name
            self._troubles[space] = f"the graph of {space.name} cannot be written beside {path} ({one_line(error)})"
        else:
            self._troubles.pop(space, None)
        self._unsaved[space] = 0
        if old:
            await to_thread.run_sync(graph_file.removed, path.parent / old)
