"""Being cancelled is taken for having nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from coinswarm.domain.observation import Batch
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Cursor

DECLARATION = POLLED
FAILS = {"I70"}


class Mutant(PolledReadings):
    """A supervisor that waits for it to end learns that it went well."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, or none."""
        try:
            return await super().fetch(cursor, now)
        except anyio.get_cancelled_exc_class():
            return Batch((), cursor)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
