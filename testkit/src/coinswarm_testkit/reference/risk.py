"""Risk: a position may bring so much volatility and no more; nothing is entered deep in a drawdown."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from coinswarm.contracts import RiskAgent
from coinswarm.domain.intent import Assessment

if TYPE_CHECKING:
    from coinswarm.domain.intent import Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio
    from coinswarm_testkit.reference.settings import VolatilityCapSettings

YEAR_NS = 365 * 24 * 3600 * 10**9
"""Crypto trades every hour of the year (S19)."""

FULL_BP = 10_000


class VolatilityCap(RiskAgent):
    """Size = min(wished, target volatility ÷ measured volatility).

    The cap depends on the market alone, never on the wish, so that a larger wish is never left with less. Where
    volatility cannot be measured, or the drawdown is too deep, nothing is left.
    """

    def __init__(self, settings: VolatilityCapSettings) -> None:
        self.settings = settings

    def get_config(self) -> dict[str, Any]:
        """The settings in force."""
        return self.settings.model_dump(mode="json")

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        """The intent, at no more than the cap."""
        if intent.exposure_bp == 0:
            return Assessment(0, 0)
        if portfolio.drawdown_bp >= self.settings.max_drawdown_bp:
            return Assessment(0, 0, f"the drawdown is {portfolio.drawdown_bp:,} bp")
        volatility = self.volatility(state)
        if volatility is None:
            return Assessment(0, 0, "volatility cannot be measured")
        cap = FULL_BP if volatility * FULL_BP <= self.settings.target_bp else int(self.settings.target_bp / volatility)
        if cap >= intent.size_bp:
            return Assessment(intent.exposure_bp, intent.size_bp)
        return Assessment(intent.exposure_bp, cap, f"volatility of {volatility:.0%} a year leaves {cap:,} bp")

    def volatility(self, state: MarketState) -> float | None:
        """Standard deviation (n - 1) of log returns over the window, annualised; None where there is none."""
        closes = state.bars.close[-self.settings.window - 1 :].tolist()
        if len(closes) <= self.settings.window or not all(math.isfinite(close) and close > 0 for close in closes):
            return None
        returns = [math.log(b / a) for a, b in pairwise(closes)]
        mean = math.fsum(returns) / len(returns)
        variance = math.fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
        return math.sqrt(variance * YEAR_NS / state.length_ns)
