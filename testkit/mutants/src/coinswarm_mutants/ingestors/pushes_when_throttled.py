"""Throttled, and asks again at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.errors import RateLimitedError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I40"}


class Mutant(PolledReadings):
    """Five times, until the source bans it."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, by force."""
        for _ in range(4):
            with suppress(RateLimitedError):
                return await super().fetch(cursor, now)
        return await super().fetch(cursor, now)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
