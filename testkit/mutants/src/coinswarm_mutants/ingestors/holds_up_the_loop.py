"""It pauses, and with it everything else in the event loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio

from coinswarm.domain.observation import START
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I72"}


class Mutant(PolledReadings):
    """Out of politeness."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, late."""
        if cursor == START:
            time.sleep(0.4)  # noqa: ASYNC251 - what is wrong with it
        return await super().fetch(cursor, now)


class Twin(PolledReadings):
    """Lets others go on meanwhile."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, late."""
        if cursor == START:
            await anyio.sleep(0.4)
        return await super().fetch(cursor, now)


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
