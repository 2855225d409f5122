"""A key that may withdraw is said not to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.domain.trading import AccountReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B50"}


class Mutant(PlainBroker):
    """Live trading would start with it."""

    async def account(self) -> AccountReport:
        """The account, with fewer rights."""
        return replace(await super().account(), rights=("read", "trade"))


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
