"""A truncated answer is a page with less on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch, Cursor
from coinswarm.errors import UnreachableError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now

DECLARATION = POLLED
FAILS = {"I45"}


class Mutant(PolledReadings):
    """Goes on behind what it never saw."""

    _last = 0

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch; what is lost in an answer that broke off is skipped."""
        try:
            batch = await super().fetch(cursor, now)
        except UnreachableError:
            if not self._last:
                raise
            self._last += 1
            return Batch((), Cursor(str(self._last)), more=True)
        self._last = int(batch.cursor.text)
        return batch


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
