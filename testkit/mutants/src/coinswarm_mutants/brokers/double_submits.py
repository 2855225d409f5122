"""No answer, so the order is sent again, under a new id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.order import RiskApproved
from coinswarm.errors import AmbiguousError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.trading import OrderReport, Ticket

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B20", "B65"}


class Mutant(PlainBroker):
    """No answer, so the order is sent again, under a new id."""

    async def submit(self, order: RiskApproved[Ticket]) -> OrderReport:
        """Send an order, or so."""
        try:
            return await super().submit(order)
        except AmbiguousError:
            again = replace(order.item, client_id=f"{order.item.client_id}-2")
            return await super().submit(RiskApproved(again))


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
