"""A mean over everything so far, and a warm-up of ten bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A40"}


class Mutant(Honest):
    """Its answers depend for ever on where the history began."""

    def warm_up(self) -> int:
        """Too few."""
        return 10

    def confidence(self, bars: Bars) -> Floats | float:
        """One over the mean move so far."""
        return 1 / (1 + np.cumsum(np.abs(self.moves(bars))) / np.arange(1, len(bars) + 1))


class Twin(Honest):
    """A mean over ten bars."""

    def warm_up(self) -> int:
        """Ten moves need eleven closes."""
        return 12

    def confidence(self, bars: Bars) -> Floats | float:
        """One over the mean of the last ten moves."""
        moves = np.concatenate((np.zeros(9), np.abs(self.moves(bars))))
        means: Floats = np.round(np.sum([moves[k : len(moves) - 9 + k] for k in range(10)], axis=0) / 10, 6)
        return 1 / (1 + means)
