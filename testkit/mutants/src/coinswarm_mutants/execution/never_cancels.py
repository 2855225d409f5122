"""What has a limit works until it fills."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.order import ChildOrder, TimeInForce
from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from coinswarm.domain.order import Order

FAILS = {"E40"}
Settings = SlicerSettings


class Mutant(Slicer):
    """What has a limit works until it fills."""

    def child(self, order: Order, at_ns: int, lots: int) -> ChildOrder:
        """One part."""
        part = super().child(order, at_ns, lots)
        return replace(part, tif=TimeInForce.GTC, expire_ns=0) if part.expire_ns else part


class Twin(Slicer):
    """Repaired: the reference."""
