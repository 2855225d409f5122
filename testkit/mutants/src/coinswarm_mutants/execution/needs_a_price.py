"""Looks at the best price on the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import ChildOrder, Order, RiskApproved

FAILS = {"E50"}
Settings = SlicerSettings


class Mutant(Slicer):
    """Looks at the best price on the other side."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        assert book.facing(order.item.side)[0]
        return super().slice(order, book)


class Twin(Slicer):
    """Repaired: the reference."""
