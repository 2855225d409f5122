"""Takes a little more every time it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Assessment, Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R15"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Takes a little more every time it is asked."""

    def __init__(self, settings: VolatilityCapSettings) -> None:
        super().__init__(settings)
        self.asked = 0

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        self.asked += 1
        left = super().assess(intent, portfolio, state)
        return replace(left, reason=f"question {self.asked}: {left.reason}")


class Twin(VolatilityCap):
    """Repaired: the reference."""
