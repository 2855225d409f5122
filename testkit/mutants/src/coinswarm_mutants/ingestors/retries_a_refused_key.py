"""A refused key is taken for a source that is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import OperatorError, UnreachableError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I85"}


class Mutant(PolledReadings):
    """For ever, until the account is locked."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch."""
        try:
            return await super().fetch(cursor, now)
        except OperatorError as error:
            raise UnreachableError(error.message) from error


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
