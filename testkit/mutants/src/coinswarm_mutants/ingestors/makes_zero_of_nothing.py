"""A reading that says there is no value is read as zero."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from datetime import datetime

    from coinswarm.domain.observation import MacroReading

DECLARATION = POLLED
FAILS = {"I10"}


class Mutant(PolledReadings):
    """An interest rate of 0 % where there was none."""

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401 - any JSON
        """The honest rows, without a gap."""
        rows, more = super().read(page, received)
        return [replace(row, value=row.value or Decimal(0)) for row in rows], more


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
