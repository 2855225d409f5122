"""A time in UTC is taken for one of the host's own zone."""

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
    """Right on a server in UTC, and hours too early or too late on a laptop."""

    def read(self, page: Any, received: datetime) -> tuple[list[MacroReading], bool]:  # noqa: ANN401 - any JSON
        """The honest rows, without the offset and then by the host's."""
        for row in page["readings"]:
            naive = datetime.fromisoformat(str(row["published"])).astimezone(UTC).replace(tzinfo=None)
            row["published"] = naive.astimezone(UTC).isoformat()
        return super().read(page, received)


class Twin(PolledReadings):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
