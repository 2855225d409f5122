"""Fifty messages behind is too far."""

from __future__ import annotations

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

FAILS = {"N50"}


class Mutant(LocalBus):
    """The next is dropped, whatever the limit says."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.model_copy(update={"pending": 50}))


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
