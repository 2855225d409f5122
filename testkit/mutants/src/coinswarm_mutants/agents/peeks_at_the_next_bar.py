"""Knows the bar after each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A25", "A30", "A32"}


class Mutant(Honest):
    """Trades on the move that is still to come."""

    def moves(self, bars: Bars) -> Floats:
        """Each close's distance to the one after it."""
        return np.diff(bars.close, append=bars.close[-1:])


class Twin(Honest):
    """Trades on the move that was."""
