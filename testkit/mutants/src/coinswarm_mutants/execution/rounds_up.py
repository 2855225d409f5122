"""A reduce-only order closes a lot more than it may."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import ChildOrder, Order, RiskApproved

FAILS = {"E20", "E50"}
Settings = SlicerSettings


class Mutant(Slicer):
    """A reduce-only order closes a lot more than it may."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        parts = list(super().slice(order, book))
        if order.item.flags:
            parts[-1] = replace(parts[-1], lots=parts[-1].lots + 1)
        return parts


class Twin(Slicer):
    """Repaired: the reference."""
