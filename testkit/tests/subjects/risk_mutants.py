"""Risk agents that break one demand each. The repaired twin of each is the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.intent import Assessment
from coinswarm_testkit.reference.risk import VolatilityCap
from coinswarm_testkit.reference.settings import VolatilityCapSettings

if TYPE_CHECKING:
    from coinswarm.domain.intent import Intent
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.portfolio import Portfolio


class Mutant(VolatilityCap):
    """Needs no settings."""

    def __init__(self) -> None:
        super().__init__(VolatilityCapSettings())


class FollowsTheHash(Mutant):
    """Text hashes differ from process to process."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        left = super().assess(intent, portfolio, state)
        return replace(left, reason=f"{left.reason} {hash('risk')}")


class Tires(Mutant):
    """Takes a little more every time it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        self.asked += 1
        left = super().assess(intent, portfolio, state)
        return replace(left, reason=f"question {self.asked}: {left.reason}")


class DoublesDown(Mutant):
    """Wants more where the account has lost."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        left = super().assess(intent, portfolio, state)
        if portfolio.drawdown_bp == 200 and intent.exposure_bp:
            return Assessment(intent.exposure_bp, min(intent.size_bp + 1, 10_000), "it must turn")
        return left


class Hedges(Mutant):
    """Turns against the intent where something is held already."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        left = super().assess(intent, portfolio, state)
        if portfolio.holding(state.instrument.symbol) and left.exposure_bp:
            return replace(left, exposure_bp=-left.exposure_bp, reason="hedged")
        return left


class NormalisesTheState(Mutant):
    """Overwrites what it is shown."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        state.volume = min(state.volume, 1.0)
        return super().assess(intent, portfolio, state)


class DividesByEquity(Mutant):
    """Meets an account that is empty."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        if intent.exposure_bp and portfolio.high_water // portfolio.equity > 3:
            return Assessment(0, 0, "far below the mark")
        return super().assess(intent, portfolio, state)


class PunishesGreed(Mutant):
    """Leaves nothing of a wish for more than half."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        if intent.size_bp > 5_000:
            return Assessment(0, 0, "too greedy")
        return super().assess(intent, portfolio, state)


class KeepsAFoot(Mutant):
    """Never leaves the market for good."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        if intent.exposure_bp == 0:
            return Assessment(100, 100, "stay in touch")
        return super().assess(intent, portfolio, state)


class FailsAtTheExit(Mutant):
    """Meets an intent that wants nothing."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        if intent.exposure_bp == 0:
            message = "no side to assess"
            raise ValueError(message)
        return super().assess(intent, portfolio, state)


class SaysNothing(Mutant):
    """Takes away without a word."""

    def assess(self, intent: Intent, portfolio: Portfolio, state: MarketState) -> Assessment:
        return replace(super().assess(intent, portfolio, state), reason="")


MUTANTS = {
    FollowsTheHash: {"R10"},
    Tires: {"R15"},
    DoublesDown: {"R20"},
    Hedges: {"R25"},
    NormalisesTheState: {"R30"},
    DividesByEquity: {"R40", "R20", "R25"},
    PunishesGreed: {"R50"},
    KeepsAFoot: {"R60"},
    FailsAtTheExit: {"R60"},
    SaysNothing: {"R70"},
}
