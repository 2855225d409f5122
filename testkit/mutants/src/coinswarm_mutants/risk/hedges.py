"""Turns against the intent where something is held already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Assessment, Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R25"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Turns against the intent where something is held already."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        left = super().assess(intent, portfolio, state)
        if portfolio.holding(state.instrument.symbol) and left.exposure_bp:
            return replace(left, exposure_bp=-left.exposure_bp, reason="hedged")
        return left


class Twin(VolatilityCap):
    """Repaired: the reference."""
