"""Wants nothing at every seventh row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W15", "W50"}


class Mutant(MedianWeigher):
    """Wants nothing at every seventh row."""

    def __init__(self) -> None:
        self.asked = 0

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        self.asked += 1
        exposure, there = super().step(row, weights)
        return Exposure(exposure if self.asked % 7 else 0, there)


class Twin(MedianWeigher):
    """Repaired: the reference."""
