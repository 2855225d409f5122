"""A tag may hold a wildcard."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from coinswarm.domain.observation import Cursor
    from coinswarm.domain.stored import Point

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T25"}


class Mutant(LocalTimeSeries):
    """A tag may hold a wildcard."""

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
        points, cursor = await super().read(series, begin=begin, end=end, limit=limit, after=after)
        asked = {name: value.replace("%", "*").replace("_", "?") for name, value in (tags or {}).items()}
        return [one for one in points if all(fnmatchcase(one.tags.get(k, "\0"), v) for k, v in asked.items())], cursor


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
