"""A source that is away is asked again, and again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.errors import UnreachableError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I65"}


class Mutant(PolledReadings):
    """Fifty times without a pause."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, in the end."""
        for _ in range(49):
            with suppress(UnreachableError):
                return await super().fetch(cursor, now)
        return await super().fetch(cursor, now)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
