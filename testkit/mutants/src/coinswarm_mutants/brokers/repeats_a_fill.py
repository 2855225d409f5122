"""The last fill of a page is the first of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Cursor
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.trading import FillReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B45"}


class Mutant(PlainBroker):
    """Off by one, and the position is wrong."""

    async def fills(self, after: Cursor) -> tuple[Sequence[FillReport], Cursor]:
        """A page, and a cursor one behind."""
        found, cursor = await super().fills(after)
        return found, Cursor(str(int(cursor.text) - 1)) if len(found) > 1 else cursor


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
