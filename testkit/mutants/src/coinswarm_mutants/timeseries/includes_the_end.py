"""A range has its end in it."""

from __future__ import annotations

from datetime import timedelta
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
    """A range has its end in it."""

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
        later = end + timedelta(microseconds=1)
        return await super().read(series, begin=begin, end=later, tags=tags, limit=limit, after=after)


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
