"""Fills are not pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.trading import OrderReport
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.trading import FillReport
    from coinswarm.ports import OnReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B55"}


class Mutant(PlainBroker):
    """Half of what happens."""

    async def watch(self, tell: OnReport) -> None:
        """Tell of orders."""

        async def some(report: OrderReport | FillReport) -> None:
            if isinstance(report, OrderReport):
                await tell(report)

        await super().watch(some)


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
