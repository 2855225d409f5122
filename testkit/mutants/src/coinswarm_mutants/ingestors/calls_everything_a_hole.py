"""It says beforehand that anything may be missing, and owes nothing then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coinswarm.domain.observation import Batch, Hole
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Sink

DECLARATION = STREAMED
FAILS = {"I62"}


class Mutant(StreamedTrades):
    """No bar is ever complete."""

    async def stream(self, out: Sink) -> None:
        """The honest stream behind a hole over a hundred years."""
        ever = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
        lane = {"source": "imaginary", "channel": "trades", "subject": self._settings.symbol}
        await out.put(Batch((), out.cursor, holes=(Hole(**lane, begin=ever[0], end=ever[1], reason="who knows"),)))
        await super().stream(out)

    async def backfill(self, out: Sink) -> None:
        """Nothing."""


class Twin(StreamedTrades):
    """Says what is missing where it is."""

    async def backfill(self, out: Sink) -> None:
        """Nothing."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
