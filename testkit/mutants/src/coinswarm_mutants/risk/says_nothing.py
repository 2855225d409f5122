"""Takes away without a word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Assessment, Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R70"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Takes away without a word."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        return replace(super().assess(intent, portfolio, state), reason="")


class Twin(VolatilityCap):
    """Repaired: the reference."""
