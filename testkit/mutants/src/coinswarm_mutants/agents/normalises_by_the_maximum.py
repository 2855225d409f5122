"""Divides by the highest close of the whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A25", "A30", "A32"}


class Mutant(Honest):
    """Scales by what only the end of the history knows."""

    def confidence(self, bars: Bars) -> Floats | float:
        """Share of the highest close of all."""
        return bars.close / bars.close.max() if len(bars) else 0.5


class Twin(Honest):
    """Scales by the highest close so far."""

    def confidence(self, bars: Bars) -> Floats | float:
        """Share of the highest close until then."""
        return bars.close / np.maximum.accumulate(bars.close)
