"""What is fetched after a lost connection comes again from the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch, Cursor
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Sink
    from coinswarm.domain.observation import TradeSeen

DECLARATION = STREAMED
FAILS = {"I30", "I40", "I45", "I50", "I60"}


class Mutant(StreamedTrades):
    """Keeps count of the two apart."""

    _live = 0

    async def backfill(self, out: Sink) -> None:
        """The honest one, and the stream's count stays where it was."""
        self._live = int(out.cursor.text.partition(" ")[0] or 0)
        await super().backfill(out)

    async def put(self, out: Sink, trades: list[TradeSeen]) -> None:
        """What is new to the stream."""
        if len(trades) == 1 and int(trades[0].key) > self._live:
            self._live = int(trades[0].key)
            await out.put(Batch(tuple(trades), Cursor(f"{trades[0].key} {trades[0].published.isoformat()}")))
        elif len(trades) > 1:
            await super().put(out, trades)


class Twin(StreamedTrades):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
