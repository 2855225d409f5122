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

from coinswarm.domain.episode import LogPosition, Space
from coinswarm.domain.proposal import AddEpisode
from coinswarm.errors import DataError
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.projection import changes, must_rebuild
from coinswarm.memory.quorum.reader import Halt, Reader, read
from coinswarm.memory.quorum.records import START, Head
from coinswarm.runtime.swarm.node import AWAY, COMMIT, ENTRIES, TICK_SECONDS, halted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anyio.abc import TaskStatus

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import MemoryInfo
    from coinswarm.domain.stored import Message
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.store.opening import Store
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.telling import Teller

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

NAME = "the index"
REBUILDS = 3
"""How often in a row an index is folded anew before it is given up: it does not keep what it is told."""


@dataclass(slots=True)
class _Held:
    """What a space holds by the log.

    :param at: the last entry that changed it.
    """

    ids: set[str] = field(default_factory=set)
    at: LogPosition | None = None


class Projection:
    """Keeps a memory backend at the log of a store.

    :param store: open; read in worker threads, never written to.
    :param backend: may be shared with other projections of the same log, and is closed by whoever made it.
    """

    def __init__(self, store: Store, backend: MemoryBackend, scheme: Scheme, teller: Teller) -> None:
        self._store, self._backend, self._scheme, self._teller = store, backend, scheme, teller
        self._seen = START
        self._wake = anyio.Event()
        self._begin()

    def _begin(self) -> None:
        """Fold from the first entry; what was seen before is not forgotten."""
        log = self._store.log
        self._reader = Reader(fold=genesis(log.cluster, log.shard, self._store.first), seen=self._seen)
        self._held: dict[Space, _Held] = {}

    @property
    def head(self) -> Head:
        """Up to where the log is in the index."""
        return self._reader.fold.head

    async def run(self, bus: MessageBus, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow the log until cancelled: at every notice, and every second anyway. Started once it is caught up.

        :param bus: open.
        :raises HaltedError: when the log is not to be believed.
        """
        listening, begun = await bus.subscribe(COMMIT, self._hear), False
        try:
            while True:
                self._wake = anyio.Event()
                try:
                    await self.catch_up()
                except AWAY as error:
                    self._teller.trouble("index away", f"the index cannot follow ({error}); it is tried again")
                else:
                    self._teller.over("index away", "the index follows again")
                    if not begun:
                        begun = True
                        task_status.started()
                with anyio.move_on_after(TICK_SECONDS):
                    await self._wake.wait()
        finally:
            with anyio.CancelScope(shield=True):
                await listening.unsubscribe()

    async def _hear(self, _message: Message) -> None:
        """A decision was made, by somebody's word: look."""
        self._wake.set()

    async def catch_up(self) -> Head:
        """Apply all that the log holds now; fold anew what is not as the log has it.

        :returns: the head up to which the index holds the log.
        :raises HaltedError: when the log is not to be believed.
        :raises DataError: an accepted vector is missing, or the backend does not keep what it is told.
        :raises CoinswarmError: the store or the backend cannot be reached; the index is left as far as it came.
        """
        for _ in range(REBUILDS):
            before = {space: await self._backend.info(space) for space in await self._spaces()}
            if any(self._fell_back(space, info) for space, info in before.items()):
                self._teller.count("index set back")
                self._begin()
            wrong = await self._read_on(before) or await self._broken()
            if not wrong:
                return self.head
            for space in wrong:
                self._teller.say(f"the index of {space.name} is not what the log says: it is folded anew")
                await self._backend.clear(space)
            self._begin()
        message = f"the index does not keep what it is told: it was folded {REBUILDS} times"
        raise DataError(message, remedy="see to the memory backend: does it throw entries away?")

    async def _spaces(self) -> list[Space]:
        """Those that the swarm has."""

        def known() -> tuple[Space, ...]:
            with self._store.facts.reader() as facts:
                return facts.spaces()

        return sorted({*await to_thread.run_sync(known), *self._held}, key=lambda one: (one.name, one.dimension))

    def _fell_back(self, space: Space, info: MemoryInfo) -> bool:
        """Whether an index stands before where it was left: lost, or restored from an older copy."""
        held = self._held.get(space)
        if held is None or held.at is None:
            return False
        return info.applied is None or info.applied.index < held.at.index

    async def _broken(self) -> list[Space]:
        """The spaces that do not hold as many episodes as the log."""
        found = []
        for space, held in self._held.items():
            info = await self._backend.info(space)
            # Another projection may have applied more meanwhile.
            if info.entries < len(held.ids) or (info.applied == held.at and info.entries > len(held.ids)):
                found.append(space)
        return found

    async def _read_on(self, before: Mapping[Space, MemoryInfo]) -> list[Space]:
        """Verify what is new in the log, and apply it.

        :param before: how the index stood before the log was asked.
        :returns: the spaces that are of another history, or go further than this one; then not all was applied.
        """
        log = self._store.log
        while True:
            try:
                answer = await to_thread.run_sync(log.read, 0, self.head.index, ENTRIES)
            except wire.MalformedError as error:  # what stands there is not what was written
                raise halted(NAME, f"{Halt.BAD_ENTRY}: {error}") from error
            reader = read(self._reader, answer, time.monotonic_ns(), self._scheme)
            if reader.halted is not None:
                raise halted(NAME, f"{reader.halted}: {reader.why}")
            last = reader.fold.head.index >= answer.head.index
            wrong = [space for space, info in before.items() if _foreign(info, reader.fold, whole=last)]
            if wrong:
                return wrong
            await self._apply(answer.entries)
            self._reader, self._seen = reader, reader.seen
            if last:
                return []

    async def _apply(self, entries: Sequence[Entry]) -> None:
        """Hand over what verified entries change, a write for each space."""
        found: dict[Space, list[tuple[AddEpisode, Entry]]] = {}
        for entry in entries:
            change = entry.envelope.proposal.change
            if changes(entry) and isinstance(change, AddEpisode):
                space = Space(self._store.log.cluster, change.space, change.dimension)
                found.setdefault(space, []).append((change, entry))
        for space, rows in found.items():
            last = {change.episode.id: change for change, _ in rows}
            vectors = await self._vectors(space, list(last.values()))
            at = LogPosition(rows[-1][1].index, rows[-1][1].hash)
            episodes = [change.episode for change in last.values()]
            await self._backend.remember(space, episodes, vectors, at=at)
            held = self._held.setdefault(space, _Held())
            held.ids.update(last)
            held.at = at

    async def _vectors(self, space: Space, wanted: Sequence[AddEpisode]) -> Vectors:
        """The accepted vectors, a row each.

        :raises DataError: one is missing, or is not what was accepted.
        """

        def committed() -> dict[str, bytes]:
            with self._store.facts.reader() as facts:
                return facts.vectors([one.vector_digest for one in wanted])

        known = await to_thread.run_sync(committed)
        for one in wanted:
            if len(known.get(one.vector_digest, b"")) != 4 * space.dimension:
                message = f"the vector of episode {one.episode.id[:12]} is not in {self._store.place.name}"
                raise DataError(message, remedy="restore the store from a copy")
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
