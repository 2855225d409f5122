"""Two points of one moment are one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T10", "T15", "T20"}


class Mutant(LocalTimeSeries):
    """Two points of one moment are one."""

    async def write(self, points: Sequence[Point]) -> None:
        """Keep points, or so."""
        await super().write([replace(one, key="") for one in points])


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
