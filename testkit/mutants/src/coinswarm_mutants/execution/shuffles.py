"""The last part first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import ChildOrder, Order, RiskApproved

FAILS = {"E60"}
Settings = SlicerSettings


class Mutant(Slicer):
    """The last part first."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        return super().slice(order, book)[::-1]


class Twin(Slicer):
    """Repaired: the reference."""
