"""An error on the way, so the order is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import RetryableError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.trading import OrderReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B40", "B65"}


class Mutant(PlainBroker):
    """The next thing that happens is another order."""

    async def order(self, client_id: str, symbol: str) -> OrderReport | None:
        """How it stands, or None."""
        try:
            return await super().order(client_id, symbol)
        except RetryableError:
            return None


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
