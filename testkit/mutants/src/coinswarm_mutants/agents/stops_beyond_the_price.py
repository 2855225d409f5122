"""A stop so far away that no price can reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A52"}


class Mutant(Honest):
    """A long whose stop lies below zero."""

    def stops(self, bars: Bars, move: Floats) -> Floats | float:  # noqa: ARG002 - the contract's form
        """Twice the price away."""
        return 2 * bars.close


class Twin(Honest):
    """A stop within reach."""
