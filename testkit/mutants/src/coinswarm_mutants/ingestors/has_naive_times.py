"""Times without a time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from datetime import datetime

    from coinswarm.domain.observation import MacroReading

DECLARATION = POLLED
FAILS = {"I10", "I90"}


class Mutant(PolledReadings):
    """No observation can be made of them: every payload is refused."""

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401 - any JSON
        """What ``datetime.utcnow`` once gave."""
        return super().read(page, received.replace(tzinfo=None))


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
