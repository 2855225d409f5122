"""However often it is asked, there is more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I65"}


class Mutant(PolledReadings):
    """Core asks again at once, for ever."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, and more."""
        return replace(await super().fetch(cursor, now), more=True)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
