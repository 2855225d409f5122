"""What is no point is left out without a word."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T30"}


class Mutant(LocalTimeSeries):
    """What is no point is left out without a word."""

    async def write(self, points: Sequence[Point]) -> None:
        """Keep points, or so."""
        with suppress(ValueError):
            await super().write(points)


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
