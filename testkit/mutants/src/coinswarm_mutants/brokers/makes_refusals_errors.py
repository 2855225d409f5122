"""A refusal by the venue is raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.trading import OrderState
from coinswarm.errors import OperatorError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.order import RiskApproved
    from coinswarm.domain.trading import OrderReport, Ticket

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B30"}


class Mutant(PlainBroker):
    """A refusal by the venue is raised."""

    async def submit(self, order: RiskApproved[Ticket]) -> OrderReport:
        """Send an order, or so."""
        report = await super().submit(order)
        if report.state is OrderState.REJECTED:
            raise OperatorError(report.reason)
        return report


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
