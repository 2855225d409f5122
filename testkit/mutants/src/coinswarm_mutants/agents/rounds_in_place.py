"""Unlocks the bars it was shown and writes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A47"}


class Mutant(Honest):
    """Rounds the closes where they stand."""

    def moves(self, bars: Bars) -> Floats:
        """The moves of what it left."""
        base = bars.close.base
        if isinstance(base, np.ndarray) and len(base):
            base[:] = np.round(base)
        return super().moves(bars)


class Twin(Honest):
    """Rounds a copy."""

    def moves(self, bars: Bars) -> Floats:
        """The moves of the rounded closes."""
        return np.diff(np.round(bars.close), prepend=np.round(bars.close[:1]))
