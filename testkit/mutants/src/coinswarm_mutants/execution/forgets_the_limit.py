"""Sends everything to the market."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.order import ChildOrder, OrderKind
from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from coinswarm.domain.order import Order

FAILS = {"E30"}
Settings = SlicerSettings


class Mutant(Slicer):
    """Sends everything to the market."""

    def child(self, order: Order, at_ns: int, lots: int) -> ChildOrder:
        """One part."""
        part = super().child(order, at_ns, lots)
        return replace(part, kind=OrderKind.MARKET, limit=0)


class Twin(Slicer):
    """Repaired: the reference."""
