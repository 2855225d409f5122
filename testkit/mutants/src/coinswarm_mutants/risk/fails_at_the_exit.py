"""Meets an intent that wants nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Assessment, Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R60"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Meets an intent that wants nothing."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        if intent.exposure_bp == 0:
            message = "no side to assess"
            raise ValueError(message)
        return super().assess(intent, portfolio, state)


class Twin(VolatilityCap):
    """Repaired: the reference."""
