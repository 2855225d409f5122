"""The memory of a run: the backend that the profile names, asked from a loop of its own beside the session.

Sessions are synchronous and backends are not. The backend lives in a thread with its own event loop; a session asks it
and waits. What a run remembers stands in spaces that are its own, and goes with it.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import numpy as np
from anyio.from_thread import start_blocking_portal

from coinswarm.domain.episode import Space
from coinswarm.domain.health import Condition
from coinswarm.engine.memory import RunMemory
from coinswarm.errors import UnreachableError
from coinswarm.memory.recall.privatelog import PrivateLog
from coinswarm.runtime.enduring import EnduringIndex
from coinswarm.runtime.fork import BATCH, Forked
from coinswarm.runtime.patience import called

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from anyio.from_thread import BlockingPortal

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import Episode, Filter, LogPosition, Match
    from coinswarm.engine.memory import Vector, Vectors
    from coinswarm.engine.plan import RunPlan
    from coinswarm.runtime.assembly import Assembled

    Begin = Callable[[BlockingPortal], AbstractContextManager[tuple[PrivateLog, Forked]]]

T = TypeVar("T")

ANSWER_SECONDS = 60.0
"""How long an index may keep a session waiting that can go on without it."""


class BackendIndex:
    """A memory backend as a session asks it.

    :param seconds: how long an answer may take; None: for ever.
    """

    def __init__(self, backend: MemoryBackend, portal: BlockingPortal, seconds: float | None = None) -> None:
        self._backend, self._portal, self._seconds = backend, portal, seconds

    def remember(self, space: Space, episode: Episode, vector: Vector, at: LogPosition) -> None:
        """Take in one episode."""
        self._ask(partial(self._backend.remember, space, (episode,), np.stack((vector,)), at=at))

    def nearest(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """The episodes that are near."""
        return self._ask(partial(self._backend.recall, space, vector, k, as_of_ns, where))

    def fold(self, space: Space, episodes: Sequence[Episode], vectors: Vectors, at: LogPosition | None) -> None:
        """Hold these and nothing else.

        :param at: the last log entry that changed them.
        """
        self.clear(space)
        for part in range(0, len(episodes), BATCH):
            rows = slice(part, part + BATCH)
            position = at if part + BATCH >= len(episodes) else None  # a write at an applied position changes nothing
            self._ask(partial(self._backend.remember, space, episodes[rows], vectors[rows], at=position))

    def count(self, space: Space) -> int:
        """How many episodes it holds of a space."""
        return self._ask(partial(self._backend.info, space)).entries

    def clear(self, space: Space) -> None:
        """Hold nothing of a space."""
        self._ask(partial(self._backend.clear, space))

    def demand_up(self) -> None:
        """Hold that it can be used.

        :raises UnreachableError: naming why not.
        """
        found = self._ask(self._backend.health)
        if found.condition is Condition.DOWN:
            message = f"the memory backend cannot be used ({found.reason})"
            raise UnreachableError(message, remedy="start it, or name another in [memory]")

    def close(self) -> None:
        """Let go of it."""
        self._ask(self._backend.close)

    def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """What it answers.

        :raises UnreachableError: it does not answer in time.
        """

        async def answered() -> T:
            with anyio.move_on_after(self._seconds):
                return await work()
            message = f"there was no answer within {self._seconds:g} s"
            raise UnreachableError(message)

        return called(self._portal, answered)


@contextmanager
def memory_of(
    ready: Assembled, backend: Callable[[], MemoryBackend], say: Callable[[str], None] | None
) -> Iterator[RunMemory]:
    """The memory of one execution of an assembled plan.

    :param backend: makes the one that the profile names.
    :param say: of a session, whose episodes the profile's swarm decides on, if it has one, and which goes on where its
        index fails; None: they are its own, and an index that fails is an error.
    :raises CoinswarmError: where the backend, or the swarm, cannot be made or reached.
    """
    if say is not None and ready.profile.swarm is not None:
        from coinswarm.runtime.committing import decided  # noqa: PLC0415 - a run without a swarm needs none of it

        spaces = {seat.space for seat in ready.plan.seats if seat.space}
        begin: Begin = partial(decided, profile=ready.profile, label=ready.label, spaces=spaces, say=say)
    else:
        begin = private(ready.fork() if ready.fork else Forked())
    section = ready.profile.memory
    assert section is not None, "without one there is no backend"
    outlive = None if say is None else partial(EnduringIndex, name=section.backend, say=say)
    with remembering(ready.plan, backend, begin, outlive) as memory:
        yield memory


@contextmanager
def remembering(
    plan: RunPlan,
    make: Callable[[], MemoryBackend],
    begin: Begin | None = None,
    outlive: Callable[[BackendIndex], EnduringIndex] | None = None,
) -> Iterator[RunMemory]:
    """A memory for one execution of ``plan``; the backend holds nothing of it afterwards.

    :param plan: has rules to recall by.
    :param make: makes the backend.
    :param begin: opens the log beside the backend's loop; None: a private one, empty at first.
    :param outlive: what has the run go on where its index fails; None: it ends then.
    :raises CoinswarmError: where the backend fails; with ``outlive`` only at the beginning.
    """
    with start_blocking_portal() as portal, ExitStack() as stack:
        log, fork = stack.enter_context((begin or private(Forked()))(portal))
        index = BackendIndex(make(), portal, None if outlive is None else ANSWER_SECONDS)
        enduring = None if outlive is None else outlive(index)
        memory = RunMemory(plan, enduring or index, log, f"run-{secrets.token_hex(8)}")
        try:
            if enduring is not None:
                index.demand_up()
            for space, episodes, vectors in _by_space(fork, memory.swarm):
                memory.adopt(space, episodes, vectors)
                index.fold(space, episodes, vectors, None)
                if enduring is not None:
                    enduring.hold(space, episodes, list(vectors))
            yield memory
        finally:
            if enduring is not None:
                enduring.end()
            else:
                _forget(index, memory)


def private(fork: Forked) -> Begin:
    """A private log that goes on from a fork."""
    return lambda _portal: nullcontext((PrivateLog(fork.head), fork))


def _by_space(fork: Forked, swarm: str) -> Iterator[tuple[Space, list[Episode], Vectors]]:
    """What was remembered before, by space."""
    rows: dict[Space, list[tuple[Episode, bytes]]] = {}
    for name, dimension, episode, vector in fork.episodes:
        rows.setdefault(Space(swarm, name, dimension), []).append((episode, vector))
    for space, held in rows.items():
        vectors = np.frombuffer(b"".join(vector for _, vector in held), "<f4").reshape(-1, space.dimension)
        units = np.stack([space.unit(vector) for vector in vectors.astype(np.float32)])
        yield space, [episode for episode, _ in held], units


def _forget(index: BackendIndex, memory: RunMemory) -> None:
    """Nothing of a run stays in the backend."""
    try:
        for space in sorted(memory.spaces, key=lambda one: (one.name, one.dimension)):
            index.clear(space)
    finally:
        index.close()
