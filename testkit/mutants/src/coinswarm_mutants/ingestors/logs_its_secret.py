"""The key in a debug line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I80"}


class Mutant(PolledReadings):
    """Nobody reads those, but everybody who has the file."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, with a note."""
        logging.getLogger(__name__).debug("asking with %s", self._settings.api_key.get_secret_value())
        return await super().fetch(cursor, now)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
