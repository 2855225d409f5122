"""Slices every other order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import ChildOrder, Order, RiskApproved

FAILS = {"E15"}
Settings = SlicerSettings


class Mutant(Slicer):
    """Slices every other order."""

    def __init__(self, settings: SlicerSettings) -> None:
        super().__init__(settings)
        self.whole = False

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of the order."""
        self.whole = not self.whole
        parts = super().slice(order, book)
        return [replace(parts[0], lots=order.item.lots)] if self.whole else parts


class Twin(Slicer):
    """Repaired: the reference."""
