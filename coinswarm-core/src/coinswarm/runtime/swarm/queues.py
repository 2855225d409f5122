"""Queues between tasks of one event loop: bounded, and emptied in batches."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import anyio
import anyio.lowlevel

T = TypeVar("T")

TOGETHER = 16
"""Events that a part is told in a row before other tasks get their turn."""


class Lane(Generic[T]):
    """What waits for one worker, which takes all of it at once.

    :param limit: most that may wait; of more, the oldest is dropped and counted.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self._waiting: deque[T] = deque(maxlen=limit)
        self._wake = anyio.Event()

    def put(self, item: T) -> None:
        """Add something."""
        self.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(item)
        self._wake.set()

    async def take(self, most: int = 1_000_000) -> list[T]:
        """All that waits, at most so many; waits until there is something."""
        while not self._waiting:
            self._wake = anyio.Event()
            await self._wake.wait()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def __len__(self) -> int:
        return len(self._waiting)


class Inbox(Generic[T]):
    """What a part is told: answers to what it asked for first, then messages.

    Answers are as many as were asked for, so that they need no limit, and putting one in never waits: a worker that had
    to wait here, while the part waits for the worker, would stop both.

    :param limit: most messages that may wait; who brings another waits.
    """

    def __init__(self, limit: int) -> None:
        self._answers: deque[T] = deque()
        self._messages: deque[T] = deque()
        self._limit = limit
        self._wake, self._room = anyio.Event(), anyio.Event()
        self._run = 0

    def answer(self, event: T) -> None:
        """Put in an answer, or a tick."""
        self._answers.append(event)
        self._wake.set()

    async def hear(self, event: T) -> None:
        """Put in a message; waits while too many are there."""
        while len(self._messages) >= self._limit:
            if self._room.is_set():  # several may wait, and all of them for the same event
                self._room = anyio.Event()
            await self._room.wait()
        self._messages.append(event)
        self._wake.set()

    async def next(self) -> T:
        """What comes next; lets other tasks run now and then."""
        self._run = (self._run + 1) % TOGETHER
        if not self._run:
            await anyio.lowlevel.checkpoint()
        while not self._answers and not self._messages:
            self._wake = anyio.Event()
            await self._wake.wait()
        if self._answers:
            return self._answers.popleft()
        event = self._messages.popleft()
        self._room.set()
        return event
