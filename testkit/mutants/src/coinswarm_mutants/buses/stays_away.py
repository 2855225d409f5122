"""A lost connection is not made again."""

from __future__ import annotations

from coinswarm.errors import UnreachableError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.plugin import bus as declared
from coinswarm_nats.settings import NatsSettings as Settings

FAILS = {"N55", "N60"}
DECLARATION = {"trial": dict(declared.trial)}


class Mutant(NatsBus):
    """Once is enough."""

    async def _keep(self) -> None:
        """Until it is lost."""
        await self._usable().lost.wait()
        self._problem = "the connection is lost"
        self.tell(UnreachableError(self._problem))


class Twin(NatsBus):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
