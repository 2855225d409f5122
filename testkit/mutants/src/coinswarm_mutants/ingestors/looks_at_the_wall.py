"""Receipt by a clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.domain.observation import MacroReading

DECLARATION = POLLED
FAILS = {"I15"}


class Mutant(PolledReadings):
    """A replay would never be the same twice."""

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401, ARG002 - any JSON
        """The honest rows, received by the wall clock."""
        return super().read(page, datetime.now(UTC))


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
