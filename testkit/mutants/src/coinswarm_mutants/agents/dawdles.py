"""Takes long over a long history."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Stepper

if TYPE_CHECKING:
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

LONG = 1_500
PAUSE_SECONDS = 0.03

FAILS = {"A60"}


class Mutant(Stepper):
    """Thirty milliseconds a bar, once there is much to think about."""

    def decide(self, state: MarketState) -> Action:
        """The honest answer, late."""
        if state.index > LONG:
            time.sleep(PAUSE_SECONDS)
        return super().decide(state)


class Twin(Stepper):
    """Answers at once."""
