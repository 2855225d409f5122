"""Where it has come to is known to the object alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.observation import START
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I30", "I35"}


class Mutant(PolledReadings):
    """A cursor that says nothing: after a restart it begins anew."""

    _place = START

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:  # noqa: ARG002 - that is what is wrong
        """From where it was."""
        batch = await super().fetch(self._place, now)
        self._place = batch.cursor
        return replace(batch, cursor=START)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
