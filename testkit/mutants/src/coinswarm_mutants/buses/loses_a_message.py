"""One message of five hundred is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

if TYPE_CHECKING:
    from coinswarm.domain.stored import Message

FAILS = {"N10"}


class Mutant(LocalBus):
    """One message of five hundred is lost."""

    def _send(self, message: Message) -> int:
        """To everybody who listens, or so."""
        if message.data == b"123":
            return 1
        return super()._send(message)


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
