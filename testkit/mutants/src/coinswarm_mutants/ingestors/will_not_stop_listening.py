"""Cancelled while it listens, it listens on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from coinswarm.domain.observation import START
from coinswarm_mutants.ingestors._base import STREAMED, StreamedTrades
from coinswarm_mutants.ingestors._base import StreamSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Sink

DECLARATION = STREAMED
FAILS = {"I70"}


class Mutant(StreamedTrades):
    """Two seconds longer."""

    async def stream(self, out: Sink) -> None:
        """The honest stream, behind a shield at its end."""
        try:
            await super().stream(out)
        except anyio.get_cancelled_exc_class():
            if out.cursor == START:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(2)
            raise


class Twin(StreamedTrades):
    """Does not."""


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
