"""Turns round with every bar, as large as a narrow stop allows: costs eat it up in every regime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.evidence._honest import DECLARED, Follows

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.evidence._honest import Sides

TIER = "gold"
DECLARATION = DECLARED

FAILS = {"A90"}


class Mutant(Follows):
    """The last bar's direction, with a stop of two tenths of a percent."""

    stop = 0.002

    def side(self, bars: Bars) -> Sides:
        """Up after a rise."""
        return np.sign(np.diff(bars.close, prepend=bars.close[:1])).astype(np.int8)

    def confidence(self, bars: Bars) -> float:  # noqa: ARG002 - the contract's form
        """Quite sure."""
        return 1.0


class Twin(Follows):
    """Follows."""
