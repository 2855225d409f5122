"""Ways for these tests to run a bus against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coinswarm.domain.stored import Message
    from coinswarm.ports import MessageBus

    Published = Callable[[MessageBus, str, bytes], Awaitable[None]]


class Heard(list[bytes]):
    """A handler that keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = anyio.Event()

    async def __call__(self, message: Message) -> None:
        self.append(message.data)
        self._changed.set()
        self._changed = anyio.Event()

    async def until(self, done: Callable[[Heard], bool]) -> None:
        """Wait until that is so."""
        with anyio.fail_after(10):
            while not done(self):
                await self._changed.wait()


class Told(list[Exception]):
    """A listener to errors that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = anyio.Event()

    def __call__(self, error: Exception) -> None:
        self.append(error)
        self._changed.set()
        self._changed = anyio.Event()

    async def until(self, text: str) -> None:
        """Wait until an error says that."""
        with anyio.fail_after(10):
            while not any(text in str(error) for error in self):
                await self._changed.wait()

    async def several(self, number: int) -> None:
        """Wait until so many were told."""
        with anyio.fail_after(10):
            while len(self) < number:
                await self._changed.wait()


async def _published(bus: MessageBus, subject: str, data: bytes) -> None:
    with anyio.fail_after(10):
        while True:
            try:
                await bus.publish(subject, data)
            except UnreachableError:
                await anyio.sleep(0.01)
            else:
                return


@pytest.fixture
def published() -> Published:
    """Publish as soon as that is possible."""
    return _published


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def told() -> Told:
    return Told()
