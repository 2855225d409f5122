"""A closed broker has no orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import NotReadyError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.trading import OrderReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B70"}


class Mutant(PlainBroker):
    """Flat, as far as anybody can see."""

    async def open_orders(self) -> Sequence[OrderReport]:
        """Working orders, or none."""
        try:
            return await super().open_orders()
        except NotReadyError:
            return []


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
