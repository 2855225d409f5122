"""Two strategies: one for the backtest, one for the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

FAILS = {"A25"}


class Mutant(Honest):
    """Its steps are not its columns."""

    def decide(self, state: MarketState) -> Action:
        """Half as sure as its columns."""
        return super().decide(state)._replace(confidence=0.25)


class Twin(Honest):
    """One strategy."""
