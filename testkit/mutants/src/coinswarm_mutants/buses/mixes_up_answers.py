"""Two requests at the same time wait at the same place."""

from __future__ import annotations

from itertools import cycle

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

FAILS = {"N30"}


class Mutant(LocalBus):
    """Each hears the answer to the other."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._numbers = cycle([0])  # type: ignore[assignment]


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
