"""A row that cannot be understood is left out, and the cursor goes past it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from datetime import datetime

    from coinswarm.domain.observation import MacroReading

DECLARATION = POLLED
FAILS = {"I50"}


class Mutant(PolledReadings):
    """Makes the best of a page."""

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401 - any JSON
        """The honest rows, one by one."""
        rows: list[MacroReading] = []
        for row in page["readings"]:
            try:
                rows += super().read({"readings": [row], "more": page["more"]}, received)[0]
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return sorted(rows, key=lambda row: (row.published, int(row.key))), page["more"] is True


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
