"""A refused key stands in the error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import OperatorError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.order import RiskApproved
    from coinswarm.domain.trading import OrderReport, Ticket

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B65"}


class Mutant(PlainBroker):
    """A refused key stands in the error."""

    async def submit(self, order: RiskApproved[Ticket]) -> OrderReport:
        """Send an order, or so."""
        try:
            return await super().submit(order)
        except OperatorError as error:
            message = f"{error.message}: {self._settings.api_key.get_secret_value()}"
            raise OperatorError(message) from error


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
