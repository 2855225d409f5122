"""Health that knows nothing."""

from __future__ import annotations

from coinswarm.domain.health import Condition, Health
from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

DECLARATION = POLLED
FAILS = {"I90"}


class Mutant(PolledReadings):
    """Green, whatever happens."""

    async def health(self) -> Health:
        """Good."""
        return Health(Condition.GOOD)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
