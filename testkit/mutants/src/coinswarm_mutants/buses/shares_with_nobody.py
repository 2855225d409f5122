"""Every member of a queue group hears every message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

if TYPE_CHECKING:
    from coinswarm.ports import OnMessage, Subscription

FAILS = {"N25"}


class Mutant(LocalBus):
    """The work is done twice."""

    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        """Without the group, once it is known to be one."""
        known = await super().subscribe(pattern, handler, group=group)
        if not group:
            return known
        await known.unsubscribe()
        return await super().subscribe(pattern, handler)


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
