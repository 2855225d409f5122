"""Never leaves the market for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.intent import Assessment
from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R60"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Never leaves the market for good."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        if intent.exposure_bp == 0:
            return Assessment(100, 100, "stay in touch")
        return super().assess(intent, portfolio, state)


class Twin(VolatilityCap):
    """Repaired: the reference."""
