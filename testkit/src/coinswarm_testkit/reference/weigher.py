"""Weigher: the weighted median of the stances of those who take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.contracts import Weigher
from coinswarm.domain.intent import Exposure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.intent import ActionRow


class MedianWeigher(Weigher):
    """Half of the weight stands at or below it, half at or above; between two stances, the one nearer to flat."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        seats = zip(row.direction, row.confidence_bp, row.present, weights, strict=True)
        stances = sorted((side * sure, weight) for side, sure, present, weight in seats if present and weight)
        participation = sum(weight for _, weight in stances)
        if not participation:
            return Exposure(0, 0)
        lower, upper = _reached(stances, participation), _reached(stances[::-1], participation)
        if (lower > 0) != (upper > 0):
            return Exposure(0, participation) if lower * upper <= 0 else Exposure(lower, participation)
        return Exposure(min(lower, upper, key=abs), participation)


def _reached(stances: Sequence[tuple[int, int]], participation: int) -> int:
    """The first stance at which half of the weight is reached."""
    total = 0
    for stance, weight in stances:
        total += weight
        if 2 * total >= participation:
            return stance
    return 0
