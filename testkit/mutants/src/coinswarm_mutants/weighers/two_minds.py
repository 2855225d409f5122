"""The columns know another strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import Exposure
from coinswarm_testkit.reference.weigher import MedianWeigher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np

    Columns = np.ndarray[tuple[int, int], np.dtype[Any]]

FAILS = {"W50"}


class Mutant(MedianWeigher):
    """The columns know another strategy."""

    def weigh_all(self, direction: Columns, confidence_bp: Columns, weights: Sequence[int]) -> list[Exposure]:
        """The exposure of every bar."""
        rows = super().weigh_all(direction, confidence_bp, weights)
        return [Exposure(-int(exposure), int(there)) for exposure, there in rows]


class Twin(MedianWeigher):
    """Repaired: the reference."""
