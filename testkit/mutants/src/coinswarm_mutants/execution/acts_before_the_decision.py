"""A second early is a second won."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.order import ChildOrder, TimeInForce
from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import Order, RiskApproved

FAILS = {"E40"}
Settings = SlicerSettings


class Mutant(Slicer):
    """A second early is a second won."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        parts = super().slice(order, book)
        return (
            [replace(parts[0], at_ns=parts[0].at_ns - 10**9), *parts[1:]]
            if not order.item.expire_ns and (order.item.tif is TimeInForce.GTC)
            else parts
        )


class Twin(Slicer):
    """Repaired: the reference."""
