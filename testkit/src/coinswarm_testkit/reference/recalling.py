"""A small agent that uses memory: follows the average, and trusts itself by what came of similar moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import Action, ActionColumns, Side
from coinswarm.indicators import sma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Recollection
    from coinswarm.domain.market import Bars, MarketState

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]

WINDOW = 20
BAND = 0.002
LOOK = 100
"""Bars that it describes a moment by."""
LEAST_EPISODES = 4
"""Fewer say nothing."""
WEIGHT = 1.0
"""Of the mean outcome, in units of what was at risk."""


class RecallingAgent(ColumnarAgent):
    """Long above the average of 20 closes, short below it; the stop is 2 %.

    A moment is described by how straight and how wild the last 100 bars ran, and recalled by that. What similar
    trades earned, in units of their risk, moves the confidence by half at most.
    """

    def warm_up(self) -> int:
        """Bars that a moment is described by."""
        return LOOK + 1

    def decide_all(self, bars: Bars) -> ActionColumns:
        """Sides by the average, with a band of 0.2 % in which they stay."""
        side = np.full(len(bars), Side.ABSTAIN, np.int8)
        if len(bars) >= WINDOW:
            away = bars.close / sma(bars.close, WINDOW) - 1.0
            sides = np.where(np.abs(away) > BAND, np.sign(away), int(Side.HOLD)).astype(np.int8)
            side[WINDOW - 1 :] = sides[WINDOW - 1 :]
        return ActionColumns.of(bars.instrument, side, confidence=0.5, stop_distance=0.02 * bars.close)

    def embed(self, state: MarketState) -> Vector | None:
        """How straight and how wild it was; nothing before there are 101 bars."""
        if state.index < LOOK:
            return None
        moves = np.diff(np.log(state.bars.close[-LOOK - 1 :]))
        way = float(np.abs(moves).sum())
        if way == 0.0:
            return None
        straight = abs(float(moves.sum())) / way
        wild = float(np.abs(moves[-LOOK // 4 :]).sum()) * 4 / way
        return np.array([8 * (straight - 0.2), 0.5, 0.5 * (wild - 1.0)], np.float32)

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        """More or less sure by the mean outcome of what is recalled."""
        outcomes = [one.episode.result_ppm / one.episode.risk_ppm for one in recalled if one.episode.risk_ppm]
        if len(outcomes) < LEAST_EPISODES:
            return action
        mean = sum(outcomes) / len(outcomes)
        factor = 1.0 + max(-0.5, min(WEIGHT * mean, 0.5))
        return action._replace(confidence=min(action.confidence * factor, 1.0))
