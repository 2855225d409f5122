"""A request to nobody waits all its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings
from coinswarm.errors import AmbiguousError, UnreachableError

if TYPE_CHECKING:
    from coinswarm.domain.stored import Message

FAILS = {"N30"}


class Mutant(LocalBus):
    """As if somebody might yet come."""

    async def request(self, subject: str, data: bytes, *, seconds: float) -> Message:
        """The honest answer, late."""
        try:
            return await super().request(subject, data, seconds=seconds)
        except UnreachableError as error:
            raise AmbiguousError(error.message) from error


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
