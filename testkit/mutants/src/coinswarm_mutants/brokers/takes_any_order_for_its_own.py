"""Whatever the venue has under the id is the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.trading import OrderReport, Ticket

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B15"}


class Mutant(PlainBroker):
    """Another quantity, another side: never mind."""

    async def _known(self, ticket: Ticket) -> OrderReport:
        """The order that the venue has."""
        found = await self.order(ticket.client_id, ticket.symbol)
        assert found is not None
        return found


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
