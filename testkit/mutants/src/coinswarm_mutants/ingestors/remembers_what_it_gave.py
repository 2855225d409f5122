"""What it gave once it does not give again, though core could not keep it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I35"}


class Mutant(PolledReadings):
    """Keeps the keys of what it gave in memory."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._given: set[str] = set()

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, without what was given."""
        batch = await super().fetch(cursor, now)
        fresh = tuple(one for one in batch.observations if one.key not in self._given)
        self._given.update(one.key for one in fresh)
        return replace(batch, observations=fresh)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
