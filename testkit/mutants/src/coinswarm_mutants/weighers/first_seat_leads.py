"""Half of it where the first seat does not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W40"}


class Mutant(MedianWeigher):
    """Half of it where the first seat does not agree."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        exposure, there = super().step(row, weights)
        agrees = not row.present[0] or row.direction[0] * exposure > 0
        return Exposure(exposure if agrees else int(exposure / 2), there)


class Twin(MedianWeigher):
    """Repaired: the reference."""
