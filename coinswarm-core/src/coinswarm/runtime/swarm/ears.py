"""Subjects that a part listens to only while it has a use for them: every message wakes a process up.

It begins to listen at once, so that what the bus does not allow shows when a part is started, and stops when there has
been no use for them for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.ports import MessageBus, OnMessage, Subscription

LISTEN_SECONDS = 10.0
"""How long it goes on without a use for them."""


class Ears:
    """The subscriptions to some subjects, all of them or none.

    :param now: seconds of a monotonic clock.
    """

    def __init__(self, bus: MessageBus, subjects: Sequence[str], hear: OnMessage, now: float) -> None:
        self._bus, self._subjects, self._hear = bus, subjects, hear
        self._open: list[Subscription] = []
        self._used = now

    async def open(self) -> None:
        """Listen to what is not listened to yet.

        :raises RetryableError: the bus is away.
        """
        for subject in self._subjects[len(self._open) :]:
            self._open.append(await self._bus.subscribe(subject, self._hear))

    async def close(self) -> None:
        """Listen no more."""
        while self._open:
            await self._open.pop().unsubscribe()

    async def use(self, now: float, *, needed: bool) -> None:
        """Listen while that is needed, and a while longer.

        :raises RetryableError: the bus is away; it is asked for again next time.
        """
        if needed:
            self._used = now
            await self.open()
        elif now > self._used + LISTEN_SECONDS:
            await self.close()
