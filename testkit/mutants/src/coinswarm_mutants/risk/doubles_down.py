"""Wants more where the account has lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import Assessment
from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R20"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Wants more where the account has lost."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        left = super().assess(intent, portfolio, state)
        if portfolio.drawdown_bp == 200 and intent.exposure_bp:
            return Assessment(intent.exposure_bp, min(intent.size_bp + 1, 10_000), "it must turn")
        return left


class Twin(VolatilityCap):
    """Repaired: the reference."""
