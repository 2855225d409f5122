"""Two messages change places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

if TYPE_CHECKING:
    from coinswarm.domain.stored import Message

FAILS = {"N10"}


class Mutant(LocalBus):
    """Two messages change places."""

    _kept: Message | None = None

    def _send(self, message: Message) -> int:
        """To everybody who listens, or so."""
        if message.data == b"123":
            self._kept = message
            return 1
        heard = super()._send(message)
        if self._kept is not None:
            super()._send(self._kept)
            self._kept = None
        return heard


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
