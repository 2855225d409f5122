"""What a handler raises is nobody's business."""

from __future__ import annotations

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

FAILS = {"N40"}


class Mutant(LocalBus):
    """Silence."""

    def tell(self, error: Exception) -> None:
        """Nothing."""


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
