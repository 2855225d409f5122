"""Published before it was opened, and gone."""

from __future__ import annotations

from contextlib import suppress

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings
from coinswarm.errors import NotReadyError

FAILS = {"N45"}


class Mutant(LocalBus):
    """No error, no message."""

    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        """To whoever is there, or nobody."""
        with suppress(NotReadyError):
            await super().publish(subject, data, reply=reply)


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
