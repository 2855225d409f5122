"""Pays one tick more to be sure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from coinswarm.domain.order import ChildOrder, Order

FAILS = {"E30"}
Settings = SlicerSettings


class Mutant(Slicer):
    """Pays one tick more to be sure."""

    def child(self, order: Order, at_ns: int, lots: int) -> ChildOrder:
        """One part."""
        part = super().child(order, at_ns, lots)
        return replace(part, limit=max(part.limit + order.side, 1)) if part.limit else part


class Twin(Slicer):
    """Repaired: the reference."""
