"""After a lost connection what is heard comes first, and what was missed behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.contracts import Sink
from coinswarm.domain.observation import Batch, Cursor
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from datetime import datetime

DECLARATION = STREAMED
FAILS = {"I30", "I40", "I45", "I50", "I60"}


class _Later(Sink):
    """Holds back what was missed until something was heard."""

    def __init__(self, out: Sink) -> None:
        self._out = out
        self.held: list[Batch] = []

    @property
    def cursor(self) -> Cursor:
        """Of the sink, when it was made and after each batch."""
        return self.held[-1].cursor if self.held else self._out.cursor

    def now(self) -> datetime:
        """Of the sink."""
        return self._out.now()

    async def put(self, batch: Batch) -> None:
        """What was heard, and then what is held."""
        held, self.held = self.held, []
        missed = tuple(one for each in held for one in each.observations)
        await self._out.put(Batch((*batch.observations, *missed), batch.cursor))


class _Missed(_Later):
    """Takes what was missed."""

    async def put(self, batch: Batch) -> None:
        """For later."""
        self.held.append(batch)


class Mutant(StreamedTrades):
    """Would rather be up to date."""

    async def stream(self, out: Sink) -> None:
        """The honest stream, with what was missed held back."""
        await super().stream(_Later(out))

    async def backfill(self, out: Sink) -> None:
        """What was missed, for later."""
        assert isinstance(out, _Later), "made above"
        missed = _Missed(out)
        await super().backfill(missed)
        out.held += missed.held


class Twin(StreamedTrades):
    """Has it first."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
