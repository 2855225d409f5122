"""Steps back where one who abstains stood against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W35"}


class Mutant(MedianWeigher):
    """Steps back where one who abstains stood against it."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        exposure, there = super().step(row, weights)
        against = any(way * exposure < 0 for way, here in zip(row.direction, row.present, strict=True) if not here)
        return Exposure(0 if against else exposure, there)


class Twin(MedianWeigher):
    """Repaired: the reference."""
