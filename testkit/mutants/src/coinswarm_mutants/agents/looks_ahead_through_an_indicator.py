"""A centred moving average: half of every window lies in the future."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A25", "A30", "A32"}


REACH = 5


def _means(bars: Bars, before: int, after: int) -> Floats:
    """Means of the closes from ``before`` bars back to ``after`` bars ahead, as far as there are any."""
    total = np.concatenate(([0.0], np.cumsum(bars.close)))
    rows = np.arange(len(bars))
    first, last = np.maximum(rows - before, 0), np.minimum(rows + after + 1, len(bars))
    means: Floats = (total[last] - total[first]) / (last - first)
    return means


class Mutant(Honest):
    """Trades on the distance to a mean that is centred."""

    def moves(self, bars: Bars) -> Floats:
        """Close less the centred mean."""
        return np.round(bars.close - _means(bars, REACH, REACH), 2)


class Twin(Honest):
    """Trades on the distance to a mean that trails."""

    def moves(self, bars: Bars) -> Floats:
        """Close less the trailing mean."""
        return np.round(bars.close - _means(bars, REACH, 0), 2)
