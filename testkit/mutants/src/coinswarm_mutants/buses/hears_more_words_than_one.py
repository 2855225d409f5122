"""A star covers everything that follows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings as Settings

if TYPE_CHECKING:
    from coinswarm.ports import OnMessage, Subscription

FAILS = {"N15"}


class Mutant(LocalBus):
    """``a.*`` hears ``a.b.c``."""

    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        """With another pattern."""
        return await super().subscribe(re.sub(r"\*$", ">", pattern), handler, group=group)


class Twin(LocalBus):
    """Does not."""


__all__ = ["FAILS", "Mutant", "Settings", "Twin"]
