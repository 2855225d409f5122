"""Slices all-or-nothing orders too."""

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

FAILS = {"E45"}
Settings = SlicerSettings


class Mutant(Slicer):
    """Slices all-or-nothing orders too."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        if order.item.tif is TimeInForce.FOK:
            patient = type(order)(order.item._replace(tif=TimeInForce.GTC))
            return [replace(part, tif=TimeInForce.FOK) for part in super().slice(patient, book)]
        return super().slice(order, book)


class Twin(Slicer):
    """Repaired: the reference."""
