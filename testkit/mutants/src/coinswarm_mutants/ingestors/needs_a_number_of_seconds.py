"""Who throttles it and says no number of seconds is not understood."""

from __future__ import annotations

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
    """Knows one way to be throttled."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch."""
        try:
            return await super().fetch(cursor, now)
        except RateLimitedError as error:
            if not error.seconds:
                message = "Retry-After"
                raise KeyError(message) from None
            raise


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
