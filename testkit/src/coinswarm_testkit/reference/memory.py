"""Memory: every candidate is looked at; what is remembered lies in an SQLite file."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.contracts import MemoryBackend
from coinswarm.domain.episode import Episode, LogPosition, Match, MemoryInfo, MemoryStats, Space
from coinswarm.domain.health import Condition, Health

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Filter
    from coinswarm_testkit.reference.settings import MemorySettings

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

_TABLES = """
CREATE TABLE IF NOT EXISTS episode
    (space TEXT, id TEXT, fields TEXT, vector BLOB, PRIMARY KEY (space, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS applied (space TEXT PRIMARY KEY, number INTEGER, digest TEXT) WITHOUT ROWID;
"""


@dataclass(slots=True)
class _Held:
    """One space as it is searched: episodes by id, and a unit vector for each, in the order of the ids."""

    episodes: dict[str, Episode] = field(default_factory=dict)
    vectors: dict[str, Vector] = field(default_factory=dict)
    units: Vectors | None = None


class ExactMemory(MemoryBackend):
    """Exact search over unit vectors; a write is one transaction, and only then shows in memory.

    Its methods never give way to another while they run, so that concurrent calls follow one another. Another
    process that writes to the file is noticed at the next call.
    """

    def __init__(self, settings: MemorySettings) -> None:
        self.settings = settings
        self._file = sqlite3.connect(settings.file, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.executescript(_TABLES)
        self._held: dict[str, _Held] = {}
        self._seen = self._version()
        self._recalls = self._remembered = self._updated = self._forgotten = self._recall_ns = 0

    def get_config(self) -> dict[str, Any]:
        """The settings in force."""
        return self.settings.model_dump(mode="json")

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes, all or none."""
        rows = [(episode, _unit(space, vector)) for episode, vector in zip(episodes, vectors, strict=True)]
        if not self._advances(space, at):
            return
        held = self._space(space)
        key = _key(space)
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany(
                "INSERT OR REPLACE INTO episode VALUES (?, ?, ?, ?)",
                [(key, episode.id, json.dumps(asdict(episode)), vector.tobytes()) for episode, vector in rows],
            )
            self._record(key, at)
        for episode, vector in rows:
            held.episodes[episode.id] = episode
            held.vectors[episode.id] = vector
        held.units = None
        self._remembered += len(rows)

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """The nearest of those that count."""
        began = time.perf_counter_ns()
        asked = _unit(space, vector)
        held = self._space(space)
        ids = sorted(held.episodes)
        if held.units is None:
            held.units = np.array([held.vectors[id_] for id_ in ids], np.float32).reshape(len(ids), space.dimension)
        counts = [
            row
            for row, id_ in enumerate(ids)
            if held.episodes[id_].known_ns <= as_of_ns and where.admits(held.episodes[id_])
        ]
        distances = np.clip(1.0 - held.units[counts].astype(np.float64) @ asked.astype(np.float64), 0.0, 2.0)
        nearest = np.argsort(distances, kind="stable")[: max(k, 0)]  # rows are in the order of ids: ties too
        found = [Match(ids[counts[row]], float(distances[row])) for row in nearest.tolist()]
        self._recalls += 1
        self._recall_ns += time.perf_counter_ns() - began
        return found

    async def get(self, space: Space, episode_id: str) -> Episode | None:
        """What is remembered under that id."""
        return self._space(space).episodes.get(episode_id)

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace an episode, not its vector."""
        held = self._space(space)
        there = episode.id in held.episodes
        if self._advances(space, at):
            key = _key(space)
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._file.execute(
                    "UPDATE episode SET fields = ? WHERE space = ? AND id = ?",
                    (json.dumps(asdict(episode)), key, episode.id),
                )
                self._record(key, at)
            if there:
                held.episodes[episode.id] = episode
                self._updated += 1
        return there

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        """Remove an episode."""
        held = self._space(space)
        there = episode_id in held.episodes
        if self._advances(space, at):
            key = _key(space)
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._file.execute("DELETE FROM episode WHERE space = ? AND id = ?", (key, episode_id))
                self._record(key, at)
            if there:
                del held.episodes[episode_id], held.vectors[episode_id]
                held.units = None
                self._forgotten += 1
        return there

    async def clear(self, space: Space) -> None:
        """Remove everything of a space."""
        key = _key(space)
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute("DELETE FROM episode WHERE space = ?", (key,))
            self._file.execute("DELETE FROM applied WHERE space = ?", (key,))
        self._held.pop(key, None)

    async def info(self, space: Space) -> MemoryInfo:
        """What it holds of a space."""
        count = len(self._space(space).episodes)
        return MemoryInfo(count, count * space.dimension * 4, exact=True, applied=self._applied(space))

    async def stats(self) -> MemoryStats:
        """What it did since it was made."""
        return MemoryStats(self._recalls, self._remembered, self._updated, self._forgotten, self._recall_ns)

    async def health(self) -> Health:
        """Whether the file can be read."""
        try:
            self._version()
        except sqlite3.Error as error:
            return Health(Condition.DOWN, f"{self.settings.file}: {error}")
        return Health(Condition.GOOD)

    async def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _version(self) -> int:
        """A number that changes when another connection has written to the file."""
        return int(self._file.execute("PRAGMA data_version").fetchone()[0])

    def _space(self, space: Space) -> _Held:
        """A space as the file has it now."""
        version = self._version()
        if version != self._seen:
            self._held.clear()
            self._seen = version
        key = _key(space)
        if key not in self._held:
            held = self._held[key] = _Held()
            rows = self._file.execute("SELECT id, fields, vector FROM episode WHERE space = ?", (key,))
            for id_, fields, vector in rows:
                held.episodes[id_] = Episode(**json.loads(fields))
                held.vectors[id_] = np.frombuffer(vector, np.float32)
        return self._held[key]

    def _applied(self, space: Space) -> LogPosition | None:
        """The last log entry that changed a space."""
        row = self._file.execute("SELECT number, digest FROM applied WHERE space = ?", (_key(space),)).fetchone()
        return LogPosition(*row) if row else None

    def _advances(self, space: Space, at: LogPosition | None) -> bool:
        """Whether a write at that position is new."""
        applied = self._applied(space)
        return at is None or applied is None or at.index > applied.index

    def _record(self, key: str, at: LogPosition | None) -> None:
        """Record the position, within the transaction of the write."""
        if at is not None:
            self._file.execute("INSERT OR REPLACE INTO applied VALUES (?, ?, ?)", (key, at.index, at.digest))


def _key(space: Space) -> str:
    """What tells spaces apart in the file: no name contains a colon."""
    return f"{space.swarm}:{space.name}:{space.dimension}"


def _unit(space: Space, vector: Vector) -> Vector:
    """The vector at length 1.

    :raises ValueError: for one that has no direction, or another width than the space.
    """
    given = np.asarray(vector)
    if given.dtype != np.float32 or given.shape != (space.dimension,):
        message = (
            f"a vector of {space.name} is {given.dtype}{list(given.shape)}, but must be float32[{space.dimension}]"
        )
        raise ValueError(message)
    length = float(np.linalg.norm(given.astype(np.float64)))
    if not (np.isfinite(length) and length > 0):
        message = f"a vector of {space.name} has the length {length}: it has no direction"
        raise ValueError(message)
    unit: Vector = (given / length).astype(np.float32)
    return unit
