"""The offset of a local time is thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from datetime import datetime

    from coinswarm.domain.observation import MacroReading

DECLARATION = POLLED
FAILS = {"I15"}


class Mutant(PolledReadings):
    """08:30 in New York is not 08:30 UTC: it was published hours later."""

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401 - any JSON
        """The honest rows, hours too early."""
        for row in page["readings"]:
            row["published"] = str(row["published"])[:19] + "Z"
        return super().read(page, received)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
