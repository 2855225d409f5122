"""Reads the bar after each: too good on every market."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.evidence._honest import DECLARED, Follows

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.evidence._honest import Sides

TIER = "gold"
DECLARATION = DECLARED

FAILS = {"A25", "A30", "A32", "A82", "A84"}


class Mutant(Follows):
    """Where the next bar closes."""

    def side(self, bars: Bars) -> Sides:
        """Up before a rise."""
        return np.sign(np.diff(bars.close, append=bars.close[-1:])).astype(np.int8)


class Twin(Follows):
    """Where the last bars closed."""
