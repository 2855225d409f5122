"""A page that fails is the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.errors import RetryableError
from coinswarm_testkit.reference.broker import BrokerSettings as Settings
from coinswarm_testkit.reference.broker import PlainBroker, _open_page, _read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.trading import OrderReport

DECLARATION = {"trial": {"base_url": "{venue}", "api_key": "{secret}"}}
FAILS = {"B40"}


class Mutant(PlainBroker):
    """What it has by then is all there is."""

    async def open_orders(self) -> Sequence[OrderReport]:
        """Working orders, as many as came."""
        found: list[OrderReport] = []
        more = True
        while more:
            after = found[-1].venue_id if found else ""
            try:
                page = _read(await self._ask("GET", "/open", query={"after": after}), _open_page)
            except RetryableError:
                return found
            found += page[0]
            more = page[1]
        return found


class Twin(PlainBroker):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
