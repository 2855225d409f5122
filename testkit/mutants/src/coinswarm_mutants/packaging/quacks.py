"""Has an agent's methods, and is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.domain.action import FLAT, Action, Side
from coinswarm_mutants.agents._honest import Stepper

if TYPE_CHECKING:
    from coinswarm.domain.market import MarketState
    from coinswarm.domain.outcome import TradeOutcome

FAILS = {"P10"}


class Mutant:
    """Not derived from the contract: what core adds to it later, this will not have."""

    def decide(self, state: MarketState) -> Action:
        """A long or nothing."""
        earlier = state.bars.close[-2:-1]
        move = state.close - float(earlier[0]) if len(earlier) else 0.0
        return Action(Side.BUY, 0.5, 1.0, move) if move > 0 else FLAT

    def warm_up(self) -> int:
        """None."""
        return 0

    def learn(self, outcome: TradeOutcome) -> None:
        """Nothing."""

    def snapshot(self) -> bytes:
        """Nothing."""
        return b""

    def restore(self, data: bytes) -> None:
        """Nothing."""

    def get_config(self) -> dict[str, Any]:
        """Nothing to set."""
        return {}


class Twin(Stepper):
    """Derived from it."""
