"""Meets an account that is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import Assessment
from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R20", "R25", "R40"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Meets an account that is empty."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        if intent.exposure_bp and portfolio.high_water // portfolio.equity > 3:
            return Assessment(0, 0, "far below the mark")
        return super().assess(intent, portfolio, state)


class Twin(VolatilityCap):
    """Repaired: the reference."""
