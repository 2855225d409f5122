"""After a lost connection a member of a queue group hears everything."""

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
    """The work is done twice."""

    async def _opened(self) -> Connection:
        """A connection on which nobody shares."""
        for subscription in self._subscriptions:
            subscription.group = ""
        return await super()._opened()


class Twin(NatsBus):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
