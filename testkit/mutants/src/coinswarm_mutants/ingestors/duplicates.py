"""Pages overlap, and so do its batches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.domain.observation import Batch, Cursor, MacroReading

DECLARATION = POLLED
FAILS = {"I25"}


class Mutant(PolledReadings):
    """Hands on a page as it is."""

    def batch(self, found: tuple[list[MacroReading], bool], cursor: Cursor) -> Batch:
        """The honest batch, and what was there before."""
        batch = super().batch(found, cursor)
        return replace(batch, observations=tuple(found[0])) if batch.observations else batch


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
