"""No answer, so the venue has no order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import AmbiguousError, UnreachableError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.order import RiskApproved
    from coinswarm.domain.trading import OrderReport, Ticket

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B20"}


class Mutant(PlainBroker):
    """No answer, so the venue has no order."""

    async def submit(self, order: RiskApproved[Ticket]) -> OrderReport:
        """Send an order, or so."""
        try:
            return await super().submit(order)
        except AmbiguousError as error:
            raise UnreachableError(error.message) from error


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
