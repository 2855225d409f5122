"""Nothing is written down."""

from __future__ import annotations

from coinswarm.drivers.settings import LocalFileSettings as Settings
from coinswarm.drivers.timeseries import LocalTimeSeries

DECLARATION = {"trial": {"path": "{folder}/series.sqlite"}}
FAILS = {"T15", "T40"}


class Mutant(LocalTimeSeries):
    """A database in memory."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.model_copy(update={"path": None}))


class Twin(LocalTimeSeries):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
