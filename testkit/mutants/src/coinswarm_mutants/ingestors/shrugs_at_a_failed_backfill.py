"""What was missed cannot be fetched just now, and so it never is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.errors import CoinswarmError
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings
from coinswarm_mutants.ingestors.drops_on_reconnect import Silent

if TYPE_CHECKING:
    from coinswarm.contracts import Sink
    from coinswarm.domain.observation import TradeSeen

DECLARATION = STREAMED
FAILS = {"I40", "I45", "I50"}


class Mutant(StreamedTrades):
    """Asks once, and goes on with what comes next."""

    async def backfill(self, out: Sink) -> None:
        """The honest backfill, or none."""
        with suppress(CoinswarmError):
            await super().backfill(out)

    async def put(self, out: Sink, trades: list[TradeSeen]) -> None:
        """The honest batch, without its hole."""
        await super().put(Silent(out), trades)


class Twin(StreamedTrades):
    """Lets core ask again."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
