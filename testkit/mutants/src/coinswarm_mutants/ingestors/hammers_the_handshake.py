"""Connects again without a pause."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coinswarm.errors import UnreachableError
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Sink

DECLARATION = STREAMED
FAILS = {"I65"}


class Mutant(StreamedTrades):
    """As fast as it can be refused."""

    async def stream(self, out: Sink) -> None:
        """The honest stream, over and over."""
        while True:
            with suppress(UnreachableError):
                await super().stream(out)


class Twin(StreamedTrades):
    """Raises, and core waits."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
