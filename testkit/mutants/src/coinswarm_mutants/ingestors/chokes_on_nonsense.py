"""A payload that is none falls through as whatever Python says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import PayloadError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I50"}


class Mutant(PolledReadings):
    """KeyError: 'readings'."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch."""
        try:
            return await super().fetch(cursor, now)
        except PayloadError as error:
            raise KeyError(error.message) from error


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
