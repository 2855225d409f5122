"""What was missed while the connection was away is not fetched, and nobody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.contracts import Sink
from coinswarm.domain.observation import Batch, Cursor
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from datetime import datetime

    from coinswarm.domain.observation import TradeSeen

DECLARATION = STREAMED
FAILS = {"I30", "I40", "I45", "I60"}


class Silent(Sink):
    """Passes on no holes."""

    def __init__(self, out: Sink) -> None:
        self._out = out

    @property
    def cursor(self) -> Cursor:
        """Of the sink."""
        return self._out.cursor

    def now(self) -> datetime:
        """Of the sink."""
        return self._out.now()

    async def put(self, batch: Batch) -> None:
        """Without holes."""
        await self._out.put(Batch(batch.observations, batch.cursor))


class Mutant(StreamedTrades):
    """Goes on with what comes next."""

    async def backfill(self, out: Sink) -> None:
        """Nothing."""

    async def put(self, out: Sink, trades: list[TradeSeen]) -> None:
        """The honest batch, without its hole."""
        await super().put(Silent(out), trades)


class Twin(StreamedTrades):
    """Has no backfill either, and says so: a hole is told."""

    async def backfill(self, out: Sink) -> None:
        """Nothing."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Silent", "Twin"]
