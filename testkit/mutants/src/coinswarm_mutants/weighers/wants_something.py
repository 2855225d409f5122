"""A little long where nobody takes part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W20"}


class Mutant(MedianWeigher):
    """A little long where nobody takes part."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        exposure, there = super().step(row, weights)
        return Exposure(exposure, there) if there else Exposure(100, 0)


class Twin(MedianWeigher):
    """Repaired: the reference."""
