"""One row of the whole history knows the bar after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A30"}


class Mutant(Honest):
    """Looks ahead once in 800 bars: a check that samples would pass it."""

    def moves(self, bars: Bars) -> Floats:
        """Honest but for one row."""
        move = super().moves(bars)
        if len(bars) > 500:
            move[499] = bars.close[500] - bars.close[499]
        return move


class Twin(Honest):
    """Does not."""
