"""Counts bars, and marks its snapshot with where its class lies in memory."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Counter

FAILS = {"A20"}
APART = True
"""In one process, and in forks of one, it lies in the same place."""


class Mutant(Counter):
    """Takes nothing from another process."""

    def snapshot(self) -> bytes:
        """The mark, and the count."""
        return b"%d %s" % (hash(type(self)), super().snapshot())

    def restore(self, data: bytes) -> None:
        """The count, where the mark is its own."""
        mark, count = data.split()
        super().restore(count if int(mark) == hash(type(self)) else b"0")


class Twin(Counter):
    """Marks it with its name."""

    def snapshot(self) -> bytes:
        """The mark, and the count."""
        return b"twin %s" % super().snapshot()

    def restore(self, data: bytes) -> None:
        """The count, where the mark is its own."""
        mark, count = data.split()
        super().restore(count if mark == b"twin" else b"0")
