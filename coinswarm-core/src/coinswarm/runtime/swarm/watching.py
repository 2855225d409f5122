"""Telling people what no caller of the bus is told: that it is away though nobody sends, and what it did not carry."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from coinswarm.domain.health import Condition
from coinswarm.errors import OperatorError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.telling import Teller

AWAY = "bus away"
LOOK_SECONDS = 1.0
"""How often it is looked at."""


@asynccontextmanager
async def watched(bus: MessageBus, teller: Teller) -> AsyncIterator[None]:
    """Watch an open bus for as long as the block lasts."""
    watch = _Watch(bus, teller)
    bus.on_error(watch.hear)
    group = anyio.create_task_group()
    await group.__aenter__()
    group.start_soon(watch.look)
    try:
        yield
    finally:
        watch.over = True
        group.cancel_scope.cancel()
        await group.__aexit__(None, None, None)  # an error of the block is not ours to wrap


class _Watch:
    """What is known of a bus."""

    def __init__(self, bus: MessageBus, teller: Teller) -> None:
        self._bus, self._teller = bus, teller
        self._away = self.over = False

    def hear(self, error: Exception) -> None:
        """An error that no caller could be told."""
        if self.over:
            return  # it is being left
        if isinstance(error, UnreachableError):
            self._is_away(error.message)
        elif isinstance(error, OperatorError):
            self._teller.trouble("bus refuses", f"the bus refuses something ({error})")
        else:
            self._teller.trouble("bus drops", f"the bus lost something ({error}); more are counted")

    async def look(self) -> None:
        """Look at it until cancelled: that it is back, nobody tells."""
        while True:
            health = await self._bus.health()
            if health.condition is Condition.DOWN:
                self._is_away(health.reason)
            elif self._away:
                self._away = False
                self._teller.over(AWAY, "the bus is back")
            await anyio.sleep(LOOK_SECONDS)

    def _is_away(self, why: str) -> None:
        self._away = True
        self._teller.trouble(AWAY, f"the bus is away ({why}); it is tried again")
