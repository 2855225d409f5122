"""A minute between two parts, whenever the order ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.order import ChildOrder, OrderKind, TimeInForce
from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import Order, RiskApproved

FAILS = {"E40"}
Settings = SlicerSettings


class Mutant(Slicer):
    """A minute between two parts, whenever the order ends."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        untimed = type(order)(order.item._replace(expire_ns=0, tif=TimeInForce.IOC, kind=OrderKind.MARKET, limit=0))
        if order.item.tif in {TimeInForce.DAY, TimeInForce.GTD} and order.item.kind is OrderKind.MARKET:
            [whole] = super().slice(untimed, book)
            return [replace(whole, at_ns=order.item.decided_ns + 3_600 * 10**9)]
        return super().slice(order, book)


class Twin(Slicer):
    """Repaired: the reference."""
