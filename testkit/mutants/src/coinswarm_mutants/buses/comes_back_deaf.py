"""After a lost connection nobody hears anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_nats.bus import NatsBus
from coinswarm_nats.plugin import bus as declared
from coinswarm_nats.settings import NatsSettings as Settings

if TYPE_CHECKING:
    from coinswarm_nats.connection import Connection

FAILS = {"N55"}
DECLARATION = {"trial": dict(declared.trial)}


class Mutant(NatsBus):
    """The connection is back, the subscriptions are not."""

    async def _opened(self) -> Connection:
        """A connection without subscriptions."""
        self._subscriptions.clear()
        return await super()._opened()


class Twin(NatsBus):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
