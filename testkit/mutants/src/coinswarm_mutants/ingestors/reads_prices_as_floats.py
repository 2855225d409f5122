"""Prices that went through a binary float."""

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
    """0.1 becomes 0.1000000000000000055511151231257827."""

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401 - any JSON
        """The honest rows, less exact."""
        rows, more = super().read(page, received)
        return [replace(row, value=None if row.value is None else Decimal(float(row.value))) for row in rows], more


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
