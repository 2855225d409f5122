"""The bundled weigher: the weighted mean of those who take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.contracts import Weigher
from coinswarm.domain.intent import Exposure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.intent import ActionRow


class WeightedWeigher(Weigher):
    """Exposure = sum of weight x direction x confidence over those who take part, / their weight.

    Rounded toward zero. Its columnar twin is ``committee.columns.intents``.
    """

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        total = participation = 0
        for direction, confidence, present, weight in zip(
            row.direction, row.confidence_bp, row.present, weights, strict=True
        ):
            if present:
                participation += weight
                total += weight * direction * confidence
        if participation == 0:
            return Exposure(0, 0)
        magnitude = abs(total) // participation
        return Exposure(magnitude if total > 0 else -magnitude, participation)
