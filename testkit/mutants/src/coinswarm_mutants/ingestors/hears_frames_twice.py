"""A trade that the venue says twice comes twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Sink
    from coinswarm.domain.observation import TradeSeen

DECLARATION = STREAMED
FAILS = {"I25"}


class Mutant(StreamedTrades):
    """Does not look at ids."""

    _earlier: TradeSeen | None = None

    async def put(self, out: Sink, trades: list[TradeSeen]) -> None:
        """The honest batch, and once more what the venue repeats at once."""
        if len(trades) == 1 and self._earlier is not None and trades[0].key == self._earlier.key:
            await out.put(Batch((trades[0],), out.cursor))
        self._earlier = trades[0] if len(trades) == 1 else None
        await super().put(out, trades)


class Twin(StreamedTrades):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
