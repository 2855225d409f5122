"""Puts the row in order while it looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    from coinswarm.domain.intent import ActionRow, Exposure

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W60"}


class Mutant(MedianWeigher):
    """Puts the row in order while it looks at it."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        found = super().step(row, weights)
        for column in (row.direction, row.confidence_bp, row.present):
            assert isinstance(column, list)
            column.sort()
        return found


class Twin(MedianWeigher):
    """Repaired: the reference."""
