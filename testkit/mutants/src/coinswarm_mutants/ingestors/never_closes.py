"""Every call opens a connection that nobody closes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from coinswarm_mutants.ingestors._base import POLLED, PolledReadings
from coinswarm_mutants.ingestors._base import PolledSettings as Settings

if TYPE_CHECKING:
    from coinswarm.contracts import Now
    from coinswarm.domain.observation import Batch, Cursor

DECLARATION = POLLED
FAILS = {"I75"}


class Mutant(PolledReadings):
    """Keeps them all."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._kept: list[socket.socket] = []

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch, and a socket."""
        self._kept.append(socket.socket())
        return await super().fetch(cursor, now)

    def __del__(self) -> None:
        """The process that judges it goes on."""
        for one in self._kept:
            one.close()


class Twin(PolledReadings):
    """Closes it."""

    async def fetch(self, cursor: Cursor, now: Now) -> Batch:
        """The honest batch."""
        with socket.socket():
            return await super().fetch(cursor, now)


__all__ = ["DECLARATION", "FAILS", "Mutant", "Settings", "Twin"]
