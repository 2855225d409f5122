"""Sells where everybody is very sure to buy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W30"}


class Mutant(MedianWeigher):
    """Sells where everybody is very sure to buy."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        exposure, there = super().step(row, weights)
        return Exposure(-exposure if abs(exposure) > 9_000 else exposure, there)


class Twin(MedianWeigher):
    """Repaired: the reference."""
