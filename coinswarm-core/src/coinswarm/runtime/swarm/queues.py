"""What waits between tasks of one event loop: bounded, and emptied in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """What waits for one worker, which takes all of it at once.

    :param limit: most that may wait; of more, the oldest is dropped and counted.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self._waiting: deque[T] = deque(maxlen=limit)
        self._wake = asyncio.Event()

    def put(self, item: T) -> None:
        """Add something."""
        self.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(item)
        self._wake.set()

    async def take(self, most: int = 1_000_000) -> list[T]:
        """All that waits, at most so many; waits until there is something."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def __len__(self) -> int:
        return len(self._waiting)
