"""It answers, and something of it goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I75"}


class Mutant(PolledReadings):
    """Looks ahead when nobody asked, for every page anew."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._tasks: list[asyncio.Task[None]] = []

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, and a task."""
        batch = await super().fetch(cursor, now)
        self._tasks.append(asyncio.get_running_loop().create_task(anyio.sleep_forever()))
        return batch


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
