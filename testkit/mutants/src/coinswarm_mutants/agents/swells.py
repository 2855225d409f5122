"""A snapshot that grows by a line with every bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Counter

if TYPE_CHECKING:
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

FAILS = {"A48"}


class Mutant(Counter):
    """Notes in its snapshot what it did, for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.notes = bytearray()

    def decide(self, state: MarketState) -> Action:
        """The honest answer, and a line about it."""
        answer = super().decide(state)
        self.notes += b"seen %d\n" % self.seen
        return answer

    def snapshot(self) -> bytes:
        """The count, and all the notes behind it."""
        return super().snapshot() + b" " + self.notes

    def restore(self, data: bytes) -> None:
        """The count; the notes go on."""
        count, _, notes = data.partition(b" ")
        super().restore(count)
        self.notes = bytearray(notes)


class Twin(Counter):
    """Its snapshot is the count."""
