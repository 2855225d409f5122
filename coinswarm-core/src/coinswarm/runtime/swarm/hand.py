"""A thread of its own that does one thing after the other for an event loop.

What a part asks of its disk and of the log it asks thousands of times a minute, always in the same order: a thread that
stands ready costs a third of what it costs to have one found each time.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Hand:
    """One such thread, started when it first has something to do.

    :param name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._todo: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def do(self, work: Callable[[], T]) -> T:
        """Have something done after all that was asked for before, and wait for what comes of it.

        Cancelled, it is done all the same; ``rest`` waits for that.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def answer(found: T | None, error: BaseException | None) -> None:
            if future.done():  # nobody waits any more
                return
            if error is None:
                future.set_result(found)  # type: ignore[arg-type] # there is a result where there is no error
            else:
                future.set_exception(error)

        def told() -> None:
            found, error = None, None
            try:
                found = work()
            except BaseException as raised:  # noqa: BLE001 - it is raised where it was asked for
                error = raised
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(answer, found, error)

        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._todo.put(told)
        return await future

    async def rest(self) -> None:
        """Wait until nothing is to be done, and let the thread end."""
        if self._thread is not None:
            await self.do(lambda: None)
            self._todo.put(None)
            self._thread = None

    def _run(self) -> None:
        while (told := self._todo.get()) is not None:
            told()
