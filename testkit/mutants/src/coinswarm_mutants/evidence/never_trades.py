"""Wants nothing, so that there is nothing to measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.evidence._honest import DECLARED, Follows

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.evidence._honest import Sides

TIER = "gold"
DECLARATION = DECLARED

FAILS = {"A72", "A80"}


class Mutant(Follows):
    """Flat for ever."""

    def side(self, bars: Bars) -> Sides:
        """Nowhere."""
        return np.zeros(len(bars), np.int8)


class Twin(Follows):
    """Follows."""
