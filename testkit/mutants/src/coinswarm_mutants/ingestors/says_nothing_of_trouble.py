"""A source that is away has no news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch
from coinswarm.errors import UnreachableError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Cursor

DECLARATION = POLLED
FAILS = {"I65"}


class Mutant(PolledReadings):
    """Nobody will ever know."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, or none."""
        try:
            return await super().fetch(cursor, now)
        except UnreachableError:
            return Batch((), cursor)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
