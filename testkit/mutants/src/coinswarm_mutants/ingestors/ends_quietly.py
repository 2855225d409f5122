"""A lost connection is taken for the end of the stream."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.errors import UnreachableError
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Sink

DECLARATION = STREAMED
FAILS = {"I30", "I40", "I45", "I50", "I60", "I65"}


class Mutant(StreamedTrades):
    """Returns, as if nothing more would ever come."""

    async def stream(self, out: Sink) -> None:
        """The honest stream, once."""
        with suppress(UnreachableError):
            await super().stream(out)


class Twin(StreamedTrades):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
