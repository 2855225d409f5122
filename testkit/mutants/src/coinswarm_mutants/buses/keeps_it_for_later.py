"""What is refused while the connection is lost is sent when it is back."""

from __future__ import annotations

from coinswarm.domain.stored import Message
from coinswarm.errors import UnreachableError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.plugin import bus as declared
from coinswarm_nats.settings import NatsSettings as Settings

FAILS = {"N55"}
DECLARATION = {"trial": dict(declared.trial)}


class Mutant(NatsBus):
    """Who was told that nothing was done does it again: twice."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._later: list[Message] = []

    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        """Send it and what was kept, or keep it."""
        try:
            while self._later:
                await super().publish(self._later[0].subject, self._later[0].data)
                del self._later[0]
            await super().publish(subject, data, reply=reply)
        except UnreachableError:
            self._later.append(Message(subject, data, reply))
            raise


class Twin(NatsBus):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
