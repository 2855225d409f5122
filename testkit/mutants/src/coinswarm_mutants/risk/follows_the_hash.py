"""Text hashes differ from process to process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Assessment, Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio

FAILS = {"R10"}
Settings = VolatilityCapSettings


class Mutant(VolatilityCap):
    """Text hashes differ from process to process."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """What is left of the intent."""
        left = super().assess(intent, portfolio, state)
        return replace(left, reason=f"{left.reason} {hash('risk')}")


class Twin(VolatilityCap):
    """Repaired: the reference."""
