"""The first point of a further page is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from coinswarm.domain.observation import Cursor
    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T15"}


class Mutant(LocalTimeSeries):
    """The first point of a further page is lost."""

    async def read(  # noqa: PLR0913 - the port's own
        self,
        series: str,
        *,
        begin: datetime,
        end: datetime,
        tags: Mapping[str, str] | None = None,
        limit: int = 10_000,
        after: Cursor | None = None,
    ) -> tuple[Sequence[Point], Cursor | None]:
        """Points, or so."""
        points, cursor = await super().read(series, begin=begin, end=end, tags=tags, limit=limit, after=after)
        return points[1:] if after is not None else points, cursor


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
