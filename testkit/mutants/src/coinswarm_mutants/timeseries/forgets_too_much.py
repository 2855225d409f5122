"""What is exactly as old is forgotten as well."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

if TYPE_CHECKING:
    from datetime import datetime

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T35"}


class Mutant(LocalTimeSeries):
    """Off by one."""

    async def delete(self, series: str, *, before: datetime) -> int:
        """Forget points up to a time."""
        return await super().delete(series, before=before + timedelta(microseconds=1))


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
