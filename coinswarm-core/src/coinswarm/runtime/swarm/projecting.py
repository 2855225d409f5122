"""An index of episodes that follows the log: a fold of it, folded anew where the index is lost or is another's.

The backend keeps, with each space, the last entry that changed it. A write at a position that was applied changes
nothing, so that a fold may begin anywhere before that: it begins with the first entry, which verifies them all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import numpy as np
from anyio import to_thread

from coinswarm.domain.episode import LogPosition, Space, swarm_of
from coinswarm.domain.proposal import episodes_of
from coinswarm.errors import DataError
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.projection import changes, must_rebuild
from coinswarm.memory.quorum.reader import Halt, Reader, read
from coinswarm.memory.quorum.records import START, Head
from coinswarm.runtime.swarm.ending import halted
from coinswarm.runtime.swarm.node import ENTRIES
from coinswarm.runtime.swarm.noticing import at_each_notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from anyio.abc import TaskStatus

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import MemoryInfo
    from coinswarm.domain.proposal import AddEpisode
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.runtime.swarm.parts import Place
    from coinswarm.runtime.swarm.telling import Teller

    Vectors = Callable[[Iterable[str]], Mapping[str, bytes]]
    """Committed vectors by their digests; called in a worker thread."""
    Rows = np.ndarray[tuple[int, int], np.dtype[np.float32]]

REBUILDS = 3
"""How often in a row an index is folded anew before it is given up: it does not keep what it is told."""


@dataclass(slots=True)
class _Held:
    """What a space holds by the log.

    :param at: the last entry that changed it.
    """

    ids: set[str] = field(default_factory=set)
    at: LogPosition | None = None


class Projector:
    """Keeps a memory backend at a shard's log.

    :param place: its log is read in worker threads; its bus only hints that the log has grown.
    :param backend: may be shared with other projectors of the same log, and is closed by whoever made it.
    """

    def __init__(
        self, place: Place, backend: MemoryBackend, vectors: Vectors, teller: Teller, *, name: str = "projection"
    ) -> None:
        self.name, self.teller = name, teller
        self._place, self._backend, self._vectors = place, backend, vectors
        self._seen = START
        self._begin()

    def _begin(self) -> None:
        """Fold from the first entry; what was seen before is not forgotten."""
        place = self._place
        self._reader = Reader(fold=genesis(place.cluster, place.shard, place.roster), seen=self._seen)
        self._held: dict[Space, _Held] = {}

    @property
    def head(self) -> int:
        """How far the log was folded."""
        return self._reader.fold.head.index

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow the log until cancelled: at every notice, and every second anyway.

        :raises HaltedError: when the log is not to be believed.
        """
        stands = "index away", lambda: f"the index stands still at entry {self.head}", "the index follows again"
        await at_each_notice(self._place.bus, self.catch_up, self.teller, stands, task_status)

    async def catch_up(self) -> None:
        """Apply all that the log holds now; fold anew what is not as the log has it.

        :raises HaltedError: when the log is not to be believed.
        :raises DataError: an accepted vector is missing, or the backend does not keep what it is told.
        :raises CoinswarmError: the log or the backend cannot be used now; the index is left as far as it came.
        """
        for _ in range(REBUILDS):
            before = {space: await self._info(space) for space in self._held}
            if any(self._fell_back(space, info) for space, info in before.items()):
                self.teller.count("index set back")
                self._begin()
                before = {}
            wrong = await self._read_on(before) or await self._broken()
            if not wrong:
                return
            for space in wrong:
                await self._clear(space, "is not what the log says")
            self._begin()
        message = f"the index does not keep what it is told: it was folded {REBUILDS} times"
        raise DataError(message, remedy="see to the memory backend: does it throw entries away?")

    async def _info(self, space: Space) -> MemoryInfo:
        """What the index holds of a space: nothing, once it was damaged."""
        try:
            return await self._backend.info(space)
        except DataError as error:
            await self._clear(space, f"is damaged ({error.message})")
            return await self._backend.info(space)

    async def _clear(self, space: Space, why: str) -> None:
        self.teller.count("rebuilds")
        self.teller.say(f"the index of {space.name} {why}: it is folded anew")
        await self._backend.clear(space)

    def _fell_back(self, space: Space, info: MemoryInfo) -> bool:
        """Whether an index stands before where it was left: lost, or restored from an older copy."""
        at = self._held[space].at
        return at is not None and (info.applied is None or info.applied.index < at.index)

    async def _broken(self) -> list[Space]:
        """The spaces that do not hold as many episodes as the log."""
        found = []
        for space, held in self._held.items():
            info = await self._info(space)
            # Another projector may have applied more meanwhile.
            if info.entries < len(held.ids) or (info.applied == held.at and info.entries > len(held.ids)):
                found.append(space)
        return found

    async def _read_on(self, before: dict[Space, MemoryInfo]) -> list[Space]:
        """Verify what is new in the log, and apply it.

        :param before: how the index stands; spaces that are met in the log are added.
        :returns: the spaces that are of another history, or go further than this one; then not all was applied.
        """
        while True:
            try:
                answer = await to_thread.run_sync(self._place.log.read, 0, self.head, ENTRIES)
            except wire.MalformedError as error:  # what stands there is not what was written
                raise halted(self.name, f"{Halt.BAD_ENTRY}: {error}") from error
            reader = read(self._reader, answer, time.monotonic_ns(), self._place.scheme)
            if reader.halted is not None:
                raise halted(self.name, f"{reader.halted}: {reader.why}")
            found = self._changed(answer.entries)
            met = [space for space in found if space not in before]
            for space in met:
                before[space] = await self._info(space)
            # An index that was asked after the log may rightly be ahead of that answer: then the log is asked again.
            last = not met and reader.fold.head.index >= answer.head.index
            wrong = [space for space, info in before.items() if _foreign(info, reader.fold, whole=last)]
            if wrong:
                return wrong
            for space, rows in found.items():
                await self._remember(space, rows)
            self._reader, self._seen = reader, reader.seen
            if last:
                return []

    def _changed(self, entries: Sequence[Entry]) -> dict[Space, list[tuple[AddEpisode, Entry]]]:
        """What verified entries change, by space."""
        found: dict[Space, list[tuple[AddEpisode, Entry]]] = {}
        for entry in entries:
            for change in episodes_of(entry.envelope.proposal.change) if changes(entry) else ():
                space = Space(swarm_of(self._place.cluster, self._place.shard), change.space, change.dimension)
                found.setdefault(space, []).append((change, entry))
        return found

    async def _remember(self, space: Space, rows: Sequence[tuple[AddEpisode, Entry]]) -> None:
        """One write of the index, its place in the log included."""
        last = {change.episode.id: change for change, _ in rows}
        vectors = await rows_of(self._vectors, space, list(last.values()))
        at = LogPosition(rows[-1][1].index, rows[-1][1].hash)
        await self._backend.remember(space, [change.episode for change in last.values()], vectors, at=at)
        held = self._held.setdefault(space, _Held())
        held.ids.update(last)
        held.at = at


async def rows_of(vectors: Vectors, space: Space, wanted: Sequence[AddEpisode]) -> Rows:
    """The accepted vectors, a row each.

    :raises DataError: one is missing, or is not what was accepted.
    """
    known = await to_thread.run_sync(vectors, [one.vector_digest for one in wanted])
    for one in wanted:
        if len(known.get(one.vector_digest, b"")) != 4 * space.dimension:
            message = f"the vector of episode {one.episode.id[:12]} is not in the store"
            raise DataError(message, remedy="restore the store from a copy: it was there when voters judged")
    data = b"".join(known[one.vector_digest] for one in wanted)
    return np.frombuffer(data, "<f4").reshape(-1, space.dimension).astype(np.float32)


def _foreign(info: MemoryInfo, fold: Fold, *, whole: bool) -> bool:
    """Whether an index is of another history than the log's, as far as that was read, or goes further.

    :param whole: whether all of the log was read.
    """
    applied = info.applied
    if applied is None:
        return info.entries > 0
    if applied.index > fold.head.index:
        return whole
    return must_rebuild(Head(applied.index, applied.digest), fold)
