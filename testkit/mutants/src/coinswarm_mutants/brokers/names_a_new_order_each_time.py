"""Every try is an order of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.order import RiskApproved
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.trading import OrderReport, Ticket

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B10", "B15", "B20", "B30", "B35", "B40"}


class Mutant(PlainBroker):
    """Every try is an order of its own."""

    _tries = 0

    async def submit(self, order: RiskApproved[Ticket]) -> OrderReport:
        """Send an order, or so."""
        self._tries += 1
        mine = replace(order.item, client_id=f"{order.item.client_id}-{self._tries}-{id(self)}")
        return await super().submit(RiskApproved(mine))


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
