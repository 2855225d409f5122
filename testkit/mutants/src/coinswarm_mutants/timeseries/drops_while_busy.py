"""Who writes at the same time as another is not heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T45"}


class Mutant(LocalTimeSeries):
    """Who writes at the same time as another is not heard."""

    _busy = False

    async def write(self, points: Sequence[Point]) -> None:
        """Keep points, or so."""
        if self._busy:
            return
        self._busy = True
        try:
            await super().write(points)
        finally:
            self._busy = False


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
