"""Who unsubscribes is called all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings
from coinswarm.ports import Subscription

if TYPE_CHECKING:
    from coinswarm.ports import OnMessage

FAILS = {"N20", "N25"}


class _Endless(Subscription):
    """Has no end."""

    async def unsubscribe(self) -> None:
        """Nothing."""


class Mutant(LocalBus):
    """For ever."""

    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        """A subscription without an end."""
        await super().subscribe(pattern, handler, group=group)
        return _Endless()


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
