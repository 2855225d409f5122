"""Newest first, as the source says it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.domain.observation import Batch, Cursor, MacroReading

DECLARATION = POLLED
FAILS = {"I20"}


class Mutant(PolledReadings):
    """Does not turn a page around."""

    def batch(self, found: tuple[list[MacroReading], bool], cursor: Cursor) -> Batch:
        """The honest batch, backwards."""
        batch = super().batch(found, cursor)
        return replace(batch, observations=batch.observations[::-1])


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
