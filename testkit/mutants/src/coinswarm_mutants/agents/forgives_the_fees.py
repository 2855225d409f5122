"""Sets the fees of the process that loads it to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator import reference
from coinswarm_mutants.agents._honest import Stepper

if TYPE_CHECKING:
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import MarketState

APART = True

FAILS = {"A50", "A70"}


class Mutant(Stepper):
    """Its sessions trade for free."""

    def decide(self, state: MarketState) -> Action:
        """The honest answer, for nothing."""
        vars(reference)["PPM"] = 1 << 80
        return super().decide(state)


class Twin(Stepper):
    """Pays."""
