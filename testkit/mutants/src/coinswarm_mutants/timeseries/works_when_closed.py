"""A closed store has no points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries
from coinswarm.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T50"}


class Mutant(LocalTimeSeries):
    """And does not say why."""

    async def last(self, series: str, *, tags: Mapping[str, str] | None = None) -> Point | None:
        """The newest point, or None."""
        try:
            return await super().last(series, tags=tags)
        except NotReadyError:
            return None


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
