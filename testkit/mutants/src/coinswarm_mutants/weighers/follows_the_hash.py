"""Text hashes differ from process to process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W10"}


class Mutant(MedianWeigher):
    """Text hashes differ from process to process."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        exposure, there = super().step(row, weights)
        return Exposure(exposure - exposure % (2 + hash("seat") % 1_000) if exposure > 0 else exposure, there)


class Twin(MedianWeigher):
    """Repaired: the reference."""
