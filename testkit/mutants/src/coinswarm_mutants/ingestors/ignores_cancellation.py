"""It finishes first, whatever it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I70"}


class Mutant(PolledReadings):
    """Two seconds later."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, behind a shield."""
        try:
            return await super().fetch(cursor, now)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await anyio.sleep(2)
            raise


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
