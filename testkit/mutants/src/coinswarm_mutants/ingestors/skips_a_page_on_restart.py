"""The cursor runs ahead of what was handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Cursor, Observation

DECLARATION = POLLED
FAILS = {"I30", "I35"}


class Mutant(PolledReadings):
    """Reads a page ahead, keeps it for the next call, and says that it is done."""

    _kept: tuple[Observation, ...] = ()
    _ahead: Cursor | None = None

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """What was kept, and the next page into the drawer."""
        if self._ahead is None:
            first = await super().fetch(cursor, now)
            self._kept, self._ahead = first.observations, first.cursor
        following = await super().fetch(self._ahead, now)
        given, self._kept, self._ahead = self._kept, following.observations, following.cursor
        return Batch(given, following.cursor, more=bool(self._kept))


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
