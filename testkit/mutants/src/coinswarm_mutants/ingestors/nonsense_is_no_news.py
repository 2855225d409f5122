"""A payload that cannot be understood is no news, and nobody hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch
from coinswarm.errors import PayloadError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Cursor

DECLARATION = POLLED
FAILS = {"I50"}


class Mutant(PolledReadings):
    """All is quiet."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, or none."""
        try:
            return await super().fetch(cursor, now)
        except PayloadError:
            return Batch((), cursor)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
