"""What it recalls by knows the next bars: future moments are told apart before they happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from coinswarm.domain.market import MarketState
    from coinswarm_testkit.reference.recalling import Vector

TIER = "gold"
DECLARATION = {"trials": 1, "needs": ["memory"]}

FAILS = {"A97"}

AHEAD = 20


class Mutant(RecallingAgent):
    """Describes a moment by whether the trend will last."""

    def embed(self, state: MarketState) -> Vector | None:
        """Twenty bars ahead, through the state's back door."""
        closes = state._bars.close  # noqa: SLF001 - the back door
        ahead = closes[min(state.index + AHEAD, len(closes) - 1)] / state.close - 1.0
        behind = state.close / closes[max(state.index - AHEAD, 0)] - 1.0
        return np.array([ahead * np.sign(behind), 0.005], np.float32)


class Twin(RecallingAgent):
    """Describes it by what has been."""
