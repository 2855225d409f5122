"""A payload that cannot be understood is a page that was empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch, Cursor
from coinswarm.errors import PayloadError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now

DECLARATION = POLLED
FAILS = {"I50"}


class Mutant(PolledReadings):
    """And the next page is asked for."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, or the one after it."""
        try:
            return await super().fetch(cursor, now)
        except PayloadError:
            return Batch((), Cursor(str(int(cursor.text or 0) + 3)), more=True)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
