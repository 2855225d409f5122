"""A lost connection is taken for the end of the watch."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.errors import UnreachableError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from coinswarm.ports import OnReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B55"}


class Mutant(PlainBroker):
    """Nobody watches any more, and nobody knows."""

    async def watch(self, tell: OnReport) -> None:
        """Tell until something happens."""
        with suppress(UnreachableError):
            await super().watch(tell)


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
