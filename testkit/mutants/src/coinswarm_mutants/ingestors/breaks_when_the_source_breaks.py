"""A failing source is an error of nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import UnreachableError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I45", "I65"}


class Mutant(PolledReadings):
    """Core does not know that it may try again."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch."""
        try:
            return await super().fetch(cursor, now)
        except UnreachableError as error:
            raise RuntimeError(error.message) from error


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
