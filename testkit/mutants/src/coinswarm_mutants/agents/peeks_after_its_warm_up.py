"""A warm-up of fifty days, and a look ahead behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A25", "A30", "A32"}

BARS = 1_200


class Slow(Honest):
    """Is sure of nothing before its warm-up is over."""

    def warm_up(self) -> int:
        """Fifty days of hours."""
        return BARS


class Mutant(Slow):
    """Is surer where the next close is higher."""

    def confidence(self, bars: Bars) -> Floats | float:
        """By the next close."""
        rises = np.diff(bars.close, append=bars.close[-1:]) > 0
        return np.where((np.arange(len(bars)) >= BARS) & rises, 0.9, 0.5)


class Twin(Slow):
    """Looks back."""

    def confidence(self, bars: Bars) -> Floats | float:
        """By the close before."""
        rises = np.diff(bars.close, prepend=bars.close[:1]) > 0
        return np.where((np.arange(len(bars)) >= BARS) & rises, 0.9, 0.5)
