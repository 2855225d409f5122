"""Participation by seats instead of by weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W22"}


class Mutant(MedianWeigher):
    """Participation by seats instead of by weight."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        exposure, _ = super().step(row, weights)
        return Exposure(exposure, 10_000 * sum(row.present) // len(weights))


class Twin(MedianWeigher):
    """Repaired: the reference."""
