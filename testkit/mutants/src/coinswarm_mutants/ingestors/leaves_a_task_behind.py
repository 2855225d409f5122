"""Something of it goes on when it was cancelled."""

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
FAILS = {"I70", "I75"}


class Mutant(PolledReadings):
    """A prefetch that nobody awaits."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, and a task."""
        self.task = asyncio.get_running_loop().create_task(anyio.sleep_forever())
        return await super().fetch(cursor, now)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
