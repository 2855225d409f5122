"""Following a quorum's log beside it: plugins are told what was decided, and what is seen is there to be measured.

A follower signs nothing, votes on nothing, and is on nobody's way. It verifies the log from its first entry, as every
reader does.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from coinswarm.domain.episode import Space, swarm_of
from coinswarm.domain.health import Condition
from coinswarm.domain.proposal import episodes_of
from coinswarm.errors import DataError, OutputError, one_line
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.reader import Halt, Reader, read
from coinswarm.memory.quorum.records import START, Head, Outcome
from coinswarm.runtime.committing import decision
from coinswarm.runtime.swarm.ending import halted
from coinswarm.runtime.swarm.node import ENTRIES
from coinswarm.runtime.swarm.noticing import at_each_notice
from coinswarm.runtime.swarm.seats import asked
from coinswarm.writing import replace_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from anyio.abc import TaskStatus

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import MemoryInfo
    from coinswarm.engine.events import Event
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.runtime.swarm.parts import Place
    from coinswarm.runtime.swarm.telling import Teller

LOOK_SECONDS = 5.0
"""How often seats and the index are asked how they are."""


@dataclass(slots=True)
class Seen:
    """What a follower saw; read by whoever measures.

    :ivar fold: of the log, as far as it was verified.
    :ivar decisions: kind and outcome -> how many, from the log's first entry on.
    :ivar last_ns: the log's time of the last entry; 0: there is none.
    :ivar seats: name and part -> what it says of itself; None: it does not answer.
    :ivar spaces: what the index holds of each space; empty without one.
    :ivar index: why the index cannot be used, empty if it can; None without one.
    """

    fold: Fold
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    last_ns: int = 0
    seats: Mapping[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)
    spaces: Mapping[Space, MemoryInfo] = field(default_factory=dict)
    index: str | None = None


class Follower:
    """Reads a log on, and tells.

    :param place: its log is read in worker threads; on its bus seats are asked.
    :param tell: tells plugins, in a worker thread; returns what went wrong, a line each.
    :param kept: where it is kept how far they were told; at first they are told of what comes from then on.
    :param backend: of ``[memory]``, to be looked at; closed by whoever made it.
    """

    def __init__(  # noqa: PLR0913 - what it joins
        self,
        place: Place,
        tell: Callable[[Sequence[Event]], list[str]],
        kept: Path,
        teller: Teller,
        *,
        coordinators: Sequence[str] = (),
        backend: MemoryBackend | None = None,
    ) -> None:
        self.name, self._teller = "follower", teller
        self._place, self._plugins, self._kept = place, tell, kept
        self._coordinators, self._backend = coordinators, backend
        self._told = _kept_at(kept)
        first = genesis(place.cluster, place.shard, place.roster)
        self._reader = Reader(fold=first, seen=self._told or START)
        self.seen = Seen(first)
        self._spaces: set[Space] = set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow the log until cancelled: at every notice, and every second anyway.

        :raises HaltedError: when the log is not to be believed.
        """
        stands = "log away", lambda: f"it stands still at entry {self.seen.fold.head.index}", "it goes on"
        async with anyio.create_task_group() as group:
            group.start_soon(self._look)
            await at_each_notice(self._place.bus, self.catch_up, self._teller, stands, task_status)

    async def catch_up(self) -> None:
        """Verify what is new in the log, and tell of it.

        :raises HaltedError: when the log is not to be believed.
        :raises CoinswarmError: the log cannot be read, or the place cannot be kept.
        """
        while True:
            after = self._reader.fold.head.index
            try:
                answer = await to_thread.run_sync(self._place.log.read, 0, after, ENTRIES)
            except wire.MalformedError as error:  # what stands there is not what was written
                raise halted(self.name, f"{Halt.BAD_ENTRY}: {error}") from error
            self._reader = read(self._reader, answer, time.monotonic_ns(), self._place.scheme)
            if self._reader.halted is not None:
                raise halted(self.name, f"{self._reader.halted}: {self._reader.why}")
            for entry in answer.entries:
                self._note(entry)
            whole = self._reader.fold.head.index >= answer.head.index
            if self._told is None:  # the first time: what was decided before is no news
                if whole:
                    self._keep(self._reader.fold.head)
            elif new := [entry for entry in answer.entries if entry.index > self._told.index]:
                await self._tell(new)
            if whole:
                return

    def _note(self, entry: Entry) -> None:
        """Count an entry that was verified."""
        proposal = entry.envelope.proposal
        self.seen.decisions[proposal.kind.value, entry.outcome.value] += 1
        self.seen.last_ns, self.seen.fold = entry.at_ns, self._reader.fold
        if entry.outcome is Outcome.ACCEPT:
            added = episodes_of(proposal.change)
            swarm = swarm_of(self._place.cluster, self._place.shard)
            self._spaces.update([Space(swarm, one.space, one.dimension) for one in added])

    async def _tell(self, entries: Sequence[Entry]) -> None:
        """Tell the plugins, then keep how far: after a crash some of it is told again, and nothing is left out."""
        events = [decision(entry) for entry in entries]
        for line in await to_thread.run_sync(self._plugins, events):
            self._teller.trouble(line.partition(" raised in ")[0], line)
        self._keep(entries[-1].head)

    def _keep(self, head: Head) -> None:
        try:
            replace_bytes(self._kept, json.dumps({"index": head.index, "hash": head.hash}).encode())
        except OSError as error:
            message = f"{self._kept} cannot be written ({error.strerror})"
            raise OutputError(message, remedy="make room, or mend its rights") from error
        self._told = head

    async def _look(self) -> None:
        """Ask seats and index how they are, now and then."""
        while True:
            self.seen.seats = await asked(self._place.bus, self.seen.fold.roster, self._coordinators)
            if self._backend is not None:
                await self._look_at(self._backend)
            await anyio.sleep(LOOK_SECONDS)

    async def _look_at(self, backend: MemoryBackend) -> None:
        try:
            health = await backend.health()
            if health.condition is Condition.DOWN:
                self.seen.index = health.reason or "it is down"
                return
            self.seen.spaces = {space: await backend.info(space) for space in sorted(self._spaces, key=str)}
            self.seen.index = ""
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it is away then
            self.seen.index = one_line(error)


def _kept_at(path: Path) -> Head | None:
    """How far plugins were told before; None: they were never told anything.

    :raises DataError: when that cannot be read.
    """
    try:
        told = json.loads(path.read_bytes())
        return Head(int(told["index"]), str(told["hash"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} does not say how far plugins were told ({one_line(error)})"
        raise DataError(message, remedy="remove it: they are told of what comes from then on") from None
