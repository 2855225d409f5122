"""It connects again as soon as its source hangs up, as often as that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings
from coinswarm_testkit.reference import http

if TYPE_CHECKING:
    from coinswarm.contracts import Sink

DECLARATION = STREAMED
FAILS = {"I65"}


class Mutant(StreamedTrades):
    """A handshake that went well is all it asks for."""

    pause = 0.0

    async def stream(self, out: Sink) -> None:
        """The honest stream, again and again."""
        while True:
            try:
                await super().stream(out)
            except http.LostError:
                await anyio.sleep(self.pause)


class Twin(Mutant):
    """Takes a breath."""

    pause = 0.3


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
