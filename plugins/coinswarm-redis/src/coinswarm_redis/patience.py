"""Ends what waits for too long. One timer watches all who wait: one for each exchange takes longer than sending it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Patience:
    """``with Patience(seconds).wait():`` is as ``async with asyncio.timeout(seconds)``, in tasks of one event loop.

    A task waits once at a time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[asyncio.Task[object], float] = {}
        """Who waits, since when by the loop's clock: who began first is first."""
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> _Wait:
        """What the current task awaits inside may take as long as that.

        :raises TimeoutError: it took longer.
        """
        return _Wait(self)

    def begin(self) -> asyncio.Task[object]:
        """Note that the current task waits."""
        task = asyncio.current_task()
        if task is None:
            message = "only a task can be patient"
            raise RuntimeError(message)
        loop = asyncio.get_running_loop()
        self._since[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)
        return task

    def end(self, task: asyncio.Task[object]) -> bool:
        """Note that a task waits no more; whether it was late."""
        del self._since[task]
        late = task in self._late
        self._late.discard(task)
        return late

    def _look(self) -> None:
        """Wake those that are late, and look again when the next one could be."""
        loop, self._timer = asyncio.get_running_loop(), None
        for task, since in self._since.items():
            if since + self._seconds > loop.time():
                self._timer = loop.call_at(since + self._seconds, self._look)
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()


class _Wait:
    """One task's wait; it tells a cancellation of ours from anybody else's, as ``asyncio.timeout`` does."""

    __slots__ = ("_before", "_patience", "_task")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def __enter__(self) -> Self:
        self._task = self._patience.begin()
        self._before = self._task.cancelling()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        late = self._patience.end(self._task)
        if late and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error
