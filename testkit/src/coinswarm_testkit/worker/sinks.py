"""What an ingestor is given while it is judged: a clock, a sink for what it puts, and a pulse that it may hold up."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import anyio

from coinswarm.contracts import Sink

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from coinswarm.domain.observation import Batch, Cursor

T = TypeVar("T")

BEAT_SECONDS = 0.01
"""How often it is looked whether the event loop is held up."""

SOON = timedelta(microseconds=1)


class Clock:
    """A clock that moves with every look at it, far from the wall's."""

    def __init__(self, start: datetime) -> None:
        self.first = self.last = start

    def now(self) -> datetime:
        """Another time at every call."""
        self.last += SOON
        return self.last


class Pulse:
    """Measures for how long, at the longest, nothing else in the event loop got its turn; while work is done."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.monotonic()

    def look(self) -> None:
        """Take the time since the last look."""
        now = time.monotonic()
        self.longest, self._last = max(self.longest, now - self._last - BEAT_SECONDS), now

    async def beat(self) -> None:
        """Look again and again."""
        while True:
            await anyio.sleep(BEAT_SECONDS)
            self.look()

    async def during(self, work: Callable[[], Awaitable[T]]) -> T:
        """What work answers, measured meanwhile."""
        self._last = time.monotonic()
        beating = asyncio.create_task(self.beat())  # by itself, so that what work raises stays as it is
        try:
            return await work()
        finally:
            self.look()
            beating.cancel()
            await asyncio.wait([beating])


class Basket(Sink):
    """Takes everything, and says when it has enough.

    :param until: how many different observations are enough.
    :param last: identity of the one after which there is no other.
    :param behind: seconds that core is behind when it is given the first batch.
    :param refusing: whether it never takes one, and says at the first that it has had enough.
    """

    def __init__(  # noqa: PLR0913 - how core may be
        self,
        cursor: Cursor,
        clock: Clock,
        until: int,
        last: Sequence[str] = (),
        *,
        behind: float = 0.0,
        refusing: bool = False,
    ) -> None:
        self._cursor, self._clock, self._until, self._last = cursor, clock, until, tuple(last)
        self._behind, self._refusing = behind, refusing
        self._identities: set[tuple[str, ...]] = set()
        self.batches: list[Batch] = []
        self.wake = anyio.Event()

    @property
    def cursor(self) -> Cursor:
        """Of the last batch."""
        return self._cursor

    @property
    def full(self) -> bool:
        """Whether it has enough."""
        return self.whole or self._last in self._identities

    @property
    def whole(self) -> bool:
        """Whether it has all."""
        return len(self._identities) >= self._until

    def now(self) -> datetime:
        """The clock's time."""
        return self._clock.now()

    async def put(self, batch: Batch) -> None:
        """Take a batch."""
        if self._refusing:
            self.wake.set()
            await anyio.sleep_forever()
        seconds, self._behind = self._behind, 0.0
        await anyio.sleep(seconds)
        self.batches.append(batch)
        self._cursor = batch.cursor
        self._identities.update(one.identity for one in batch.observations)
        if self.full:
            self.wake.set()
