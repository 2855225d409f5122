"""Equal parts only: what does not divide is forgotten."""

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
    """Equal parts only: what does not divide is forgotten."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        parts = super().slice(order, book)
        each = order.item.lots // len(parts)
        return [replace(part, lots=each) for part in parts]


class Twin(Slicer):
    """Repaired: the reference."""
