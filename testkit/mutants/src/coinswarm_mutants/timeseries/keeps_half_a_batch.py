"""A batch is kept up to the point that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T30"}


class Mutant(LocalTimeSeries):
    """A batch is kept up to the point that is none."""

    async def write(self, points: Sequence[Point]) -> None:
        """Keep points, or so."""
        for one in points:
            await super().write([one])


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
