"""An error that quotes the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import OperatorError
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I80"}


class Mutant(PolledReadings):
    """It ends up in every report."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch."""
        try:
            return await super().fetch(cursor, now)
        except OperatorError as error:
            message = f"{error.message}, which was {self._settings.api_key.get_secret_value()}"
            raise OperatorError(message, remedy=error.remedy) from error


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
