"""The memory of a run: the backend that the profile names, asked from a loop of its own beside the session.

Sessions are synchronous and backends are not. The backend lives in a thread with its own event loop; a session asks it
and waits. What a run remembers stands in spaces that are its own, and goes with it.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from anyio.from_thread import start_blocking_portal

from coinswarm.domain.episode import Space
from coinswarm.engine.memory import RunMemory
from coinswarm.memory.recall.privatelog import PrivateLog
from coinswarm.runtime.fork import BATCH, Forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from anyio.from_thread import BlockingPortal

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import Episode, Filter, LogPosition, Match
    from coinswarm.engine.memory import Vector, Vectors
    from coinswarm.engine.plan import RunPlan
    from coinswarm.runtime.assembly import Assembled

    Begin = Callable[[BlockingPortal], AbstractContextManager[tuple[PrivateLog, Forked]]]


class BackendIndex:
    """A memory backend as a session asks it."""

    def __init__(self, backend: MemoryBackend, portal: BlockingPortal) -> None:
        self._backend, self._portal = backend, portal

    def remember(self, space: Space, episode: Episode, vector: Vector, at: LogPosition) -> None:
        """Take in one episode."""
        self._portal.call(partial(self._backend.remember, space, (episode,), np.stack((vector,)), at=at))

    def nearest(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """The episodes that are near."""
        return self._portal.call(self._backend.recall, space, vector, k, as_of_ns, where)


@contextmanager
def memory_of(
    ready: Assembled, backend: Callable[[], MemoryBackend], say: Callable[[str], None] | None
) -> Iterator[RunMemory]:
    """The memory of one execution of an assembled plan.

    :param backend: makes the one that the profile names.
    :param say: of a session, whose episodes the profile's swarm decides on, if it has one; None: they are its own.
    :raises CoinswarmError: where the backend, or the swarm, cannot be made or reached.
    """
    if say is not None and ready.profile.swarm is not None:
        from coinswarm.runtime.committing import decided  # noqa: PLC0415 - a run without a swarm needs none of it

        spaces = {seat.space for seat in ready.plan.seats if seat.space}
        begin: Begin = partial(decided, profile=ready.profile, label=ready.label, spaces=spaces, say=say)
    else:
        begin = private(ready.fork() if ready.fork else Forked())
    with remembering(ready.plan, backend, begin) as memory:
        yield memory


@contextmanager
def remembering(plan: RunPlan, make: Callable[[], MemoryBackend], begin: Begin | None = None) -> Iterator[RunMemory]:
    """A memory for one execution of ``plan``; the backend holds nothing of it afterwards.

    :param plan: has rules to recall by.
    :param make: makes the backend.
    :param begin: opens the log beside the backend's loop; None: a private one, empty at first.
    """
    with start_blocking_portal() as portal, ExitStack() as stack:
        log, fork = stack.enter_context((begin or private(Forked()))(portal))
        backend = make()
        memory = RunMemory(plan, BackendIndex(backend, portal), log, f"run-{secrets.token_hex(8)}")
        try:
            for space, episodes, vectors in _by_space(fork, memory.swarm):
                memory.adopt(space, episodes, vectors)
                for part in range(0, len(episodes), BATCH):
                    rows = slice(part, part + BATCH)
                    portal.call(backend.remember, space, episodes[rows], vectors[rows])
            yield memory
        finally:
            portal.call(_forget, backend, memory)


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


async def _forget(backend: MemoryBackend, memory: RunMemory) -> None:
    """Nothing of a run stays in the backend."""
    try:
        for space in sorted(memory.spaces, key=lambda one: (one.name, one.dimension)):
            await backend.clear(space)
    finally:
        await backend.close()
