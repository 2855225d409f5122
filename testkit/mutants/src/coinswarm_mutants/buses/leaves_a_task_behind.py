"""Something of it goes on when it was left."""

from __future__ import annotations

import asyncio
from typing import Self

import anyio

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

FAILS = {"N45"}


class Mutant(LocalBus):
    """A heartbeat that nobody stops."""

    async def __aenter__(self) -> Self:
        self.task = asyncio.get_running_loop().create_task(anyio.sleep_forever())
        return await super().__aenter__()


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
