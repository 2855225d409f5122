"""Waits as long as a text hashes to."""

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

FAILS = {"E10"}
Settings = SlicerSettings


class Mutant(Slicer):
    """Waits as long as a text hashes to."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        parts = super().slice(order, book)
        if order.item.tif is TimeInForce.GTC:
            return [replace(part, at_ns=part.at_ns + hash("wait") % 1_000_000) for part in parts]
        return parts


class Twin(Slicer):
    """Repaired: the reference."""
