"""What the mutants of this folder do right: one that follows an average, one that fades what strays from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ActionColumns
from coinswarm.indicators import sma

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Sides = np.ndarray[tuple[int], np.dtype[np.int8]]

DECLARED = {"trials": 1, "warm_up": 50}
"""What an author of these says."""


class Follows(ColumnarAgent):
    """Long above the average of 50 closes and short below it, with a stop of 3 %."""

    window = 50
    stop = 0.03

    def warm_up(self) -> int:
        """Until there is an average."""
        return self.window

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The actions at every bar."""
        return ActionColumns.of(
            bars.instrument, self.side(bars), confidence=self.confidence(bars), stop_distance=self.stop * bars.close
        )

    def away(self, bars: Bars) -> Floats:
        """Close ÷ its average - 1; 0 where there is none yet."""
        away = np.zeros(len(bars))
        if len(bars) >= self.window:
            away[self.window - 1 :] = (bars.close / sma(bars.close, self.window) - 1)[self.window - 1 :]
        return away

    def side(self, bars: Bars) -> Sides:
        """Where it wants to be."""
        return np.sign(self.away(bars)).astype(np.int8)

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the mutants look at them
        """How sure it is."""
        return 0.5


class Fades(Follows):
    """Sells 2 % above the average of 20 closes and buys 2 % below it, and is out again near the average."""

    window = 20
    reach = 0.02

    def side(self, bars: Bars) -> Sides:
        """Against what strays, until it is back."""
        away = self.away(bars)
        side = np.where(np.abs(away) > self.reach, -np.sign(away), 2)
        side[np.abs(away) < self.reach / 5] = 0
        return side.astype(np.int8)
