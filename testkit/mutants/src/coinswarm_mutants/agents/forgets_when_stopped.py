"""Counts bars, and its snapshot is empty."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Counter

FAILS = {"A20"}


class Mutant(Counter):
    """Begins anew after every restart."""

    def snapshot(self) -> bytes:
        """Nothing."""
        return b""

    def restore(self, data: bytes) -> None:
        """Nothing to go on from."""


class Twin(Counter):
    """Its count is in its snapshot."""
