"""Keeps every bar that it ever decided on, once it has as many as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.action import ABSTAIN
from coinswarm_mutants.agents._honest import Stepper

if TYPE_CHECKING:
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

FAILS = {"A48"}


class Mutant(Stepper):
    """Grows until the machine has no memory left."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def warm_up(self) -> int:
        """As many as the bundled agents ask for."""
        return 280

    def decide(self, state: MarketState) -> Action:
        """The honest answer, and one price more to keep."""
        if len(state.bars) < self.warm_up():
            return ABSTAIN
        self.seen.append(state.close)
        return super().decide(state)


class Twin(Mutant):
    """Keeps the last hundred."""

    def decide(self, state: MarketState) -> Action:
        """The honest answer."""
        del self.seen[:-100]
        return super().decide(state)
