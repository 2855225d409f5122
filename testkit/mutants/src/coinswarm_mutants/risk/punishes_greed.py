"""Leaves nothing of a wish for more than half."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import Assessment
from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R50"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Leaves nothing of a wish for more than half."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        if intent.size_bp > 5_000:
            return Assessment(0, 0, "too greedy")
        return super().assess(intent, portfolio, state)


class Twin(VolatilityCap):
    """Repaired: the reference."""
