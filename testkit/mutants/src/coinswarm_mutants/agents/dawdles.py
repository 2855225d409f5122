"""Takes long over a long history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Stepper
from coinswarm_testkit.checks.agents_sessions import LOOP

if TYPE_CHECKING:
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

LONG = 1_500
LOOPS = 25

FAILS = {"A60"}


class Mutant(Stepper):
    """Twenty-five calibrated loops a bar, once there is much to think about: a slow machine makes it no quicker."""

    def decide(self, state: MarketState) -> Action:
        """The honest answer, late."""
        if state.index > LONG:
            for _ in range(LOOPS):
                sum(range(LOOP))
        return super().decide(state)


class Twin(Stepper):
    """Answers at once."""
