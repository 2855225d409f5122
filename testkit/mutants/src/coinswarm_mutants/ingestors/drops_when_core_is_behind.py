"""A batch that core does not take at once is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from coinswarm.contracts import Sink
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from datetime import datetime

    from coinswarm.domain.observation import Batch, Cursor, TradeSeen

DECLARATION = STREAMED
FAILS = {"I35"}


class _Hasty(Sink):
    """Waits for nobody."""

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
        """At once, or not at all."""
        with anyio.move_on_after(0.2):
            await self._out.put(batch)


class Mutant(StreamedTrades):
    """Keeps up with its source, and with nobody else."""

    async def put(self, out: Sink, trades: list[TradeSeen]) -> None:
        """The honest batch, in haste."""
        await super().put(_Hasty(out), trades)


class Twin(StreamedTrades):
    """Waits."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
