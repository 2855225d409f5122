"""Asked to cancel, the order is cancelled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.trading import OrderState
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.trading import OrderReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B35"}


class Mutant(PlainBroker):
    """Even if it was filled."""

    async def cancel(self, client_id: str, symbol: str) -> OrderReport | None:
        """What it wished."""
        found = await super().cancel(client_id, symbol)
        return None if found is None else replace(found, state=OrderState.CANCELLED)


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
