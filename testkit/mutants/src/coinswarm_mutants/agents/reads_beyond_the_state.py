"""Reaches for the bars that the state holds back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.action import FLAT, Action, Side
from coinswarm_mutants.agents._honest import Stepper

if TYPE_CHECKING:
    from coinswarm.domain.market import MarketState

FAILS = {"A30", "A32"}


class Mutant(Stepper):
    """Has no columns, and looks behind the view that it is given."""

    def decide(self, state: MarketState) -> Action:
        """Long before a rise."""
        later = state._bars.close[state.index + 1 : state.index + 2]  # noqa: SLF001 - that is the crime
        return Action(Side.BUY, 0.5, 1.0, 1.0) if len(later) and later[0] > state.close else FLAT


class Twin(Stepper):
    """Looks at what it is given."""
