"""As many parts as there are lots, up to five."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import Order

FAILS = {"E25"}
Settings = SlicerSettings


class Mutant(Slicer):
    """As many parts as there are lots, up to five."""

    def parts(self, order: Order, book: OrderBook) -> int:  # noqa: ARG002 - that is the fault
        """How many parts."""
        return min(self.settings.slices, order.lots)


class Twin(Slicer):
    """Repaired: the reference."""
