"""Overwrites what it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Assessment, Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R30"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Overwrites what it is shown."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        state.volume = min(state.volume, 1.0)
        return super().assess(intent, portfolio, state)


class Twin(VolatilityCap):
    """Repaired: the reference."""
