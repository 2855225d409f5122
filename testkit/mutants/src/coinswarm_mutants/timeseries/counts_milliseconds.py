"""A time's microseconds are cut off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T10", "T20", "T25", "T40", "T45"}


class Mutant(LocalTimeSeries):
    """A time's microseconds are cut off."""

    async def write(self, points: Sequence[Point]) -> None:
        """Keep points, or so."""
        cut = [replace(one, time=one.time.replace(microsecond=one.time.microsecond // 1000 * 1000)) for one in points]
        await super().write(cut)


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
