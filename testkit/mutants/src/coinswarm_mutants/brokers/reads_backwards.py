"""The newest fill of a page first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.observation import Cursor
    from coinswarm.domain.trading import FillReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B45"}


class Mutant(PlainBroker):
    """The ledger would see sells before buys."""

    async def fills(self, after: Cursor) -> tuple[Sequence[FillReport], Cursor]:
        """A page, backwards."""
        found, cursor = await super().fills(after)
        return found[::-1], cursor


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
