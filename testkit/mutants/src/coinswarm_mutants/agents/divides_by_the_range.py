"""0 / 0 where nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A45"}


class Mutant(Honest):
    """Not a number on a flat bar."""

    def confidence(self, bars: Bars) -> Floats | float:
        """Where the close lies in the bar's range."""
        with np.errstate(invalid="ignore"):
            return (bars.close - bars.low) / (bars.high - bars.low)


class Twin(Honest):
    """Looks first."""

    def confidence(self, bars: Bars) -> Floats | float:
        """Where the close lies in the bar's range; one half where it has none."""
        span = bars.high - bars.low
        return np.where(span > 0, (bars.close - bars.low) / np.where(span > 0, span, 1.0), 0.5)
