"""The trend agent: a moving-average crossover, entered only where ADX shows a trend (S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ActionColumns, Side
from coinswarm.indicators import adx, atr, compare, latch, settled, sma
from coinswarm_trend.moment import LOOK, moment
from coinswarm_trend.reasons import Reason
from coinswarm_trend.settings import TrendSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import Action
    from coinswarm.domain.episode import Recollection
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm_trend.moment import Vector

_REASON_OF_SIDE = np.array(
    [Reason.TREND_DOWN, Reason.NO_TREND, Reason.TREND_UP, Reason.KEEPING, Reason.WARMING_UP], np.uint8
)
"""By side code + 1: SELL, FLAT, BUY, HOLD, ABSTAIN."""

PRIOR = 8.0
"""Weight of "no edge" beside what is recalled, in episodes."""
MOST_R = 3.0
"""No episode counts for more, in multiples of what was at risk."""


class TrendAgent(ColumnarAgent):
    """Rides a trend from its confirmation to the cross back.

    ====================== ===================== ==========================================
    averages               ADX above the gate    ADX at or below it
    ====================== ===================== ==========================================
    fast above slow        BUY                   keeps a long, ends a short, else FLAT
    fast below slow        SELL                  keeps a short, ends a long, else FLAT
    equal                  keeps what it has     keeps what it has
    ====================== ===================== ==========================================

    "Keeps" is HOLD, "ends" is FLAT. What it has is a function of the bars so far (a latch over the
    columns), so that two runs over the same bars agree at every row. Confidence is ADX / ``adx_full``,
    at most 1; stop and target are multiples of ATR.

    With ``memory`` set it recalls what came of similar moments, and is surer or less sure by it.
    """

    def __init__(self, settings: TrendSettings | None = None) -> None:
        self._settings = settings or TrendSettings()

    def warm_up(self) -> int:
        """Bars until ADX and ATR no longer depend on where the history begins (S6)."""
        own = self._settings
        return max(own.slow, settled(own.adx_period), settled(own.atr_period))

    def get_config(self) -> dict[str, Any]:
        """The settings in force."""
        return self._settings.model_dump(mode="json")

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The actions at every bar; abstains until all indicators are defined."""
        own = self._settings
        cross = compare(sma(bars.close, own.fast), sma(bars.close, own.slow))
        strength = adx(bars.high, bars.low, bars.close, own.adx_period)
        reach = atr(bars.high, bars.low, bars.close, own.atr_period)
        undefined = max(own.slow - 1, 2 * own.adx_period - 1, own.atr_period)
        strength[:undefined] = reach[:undefined] = 0.0

        up, down = cross > 0, cross < 0
        strong = strength > own.adx_entry
        strong[:undefined] = False
        held = latch(up & strong, down, down & strong, up)
        side = np.where(held == 0, np.int8(Side.FLAT), np.int8(Side.HOLD))
        np.copyto(side, cross, where=strong & (cross != 0))
        side[:undefined] = Side.ABSTAIN
        reason = _REASON_OF_SIDE[side + 1]
        reason[1:][(held[1:] == 0) & (held[:-1] != 0)] = Reason.CROSSED_BACK
        return ActionColumns.of(
            bars.instrument,
            side,
            confidence=np.minimum(strength / own.adx_full, 1.0),
            size=own.size,
            stop_distance=own.stop_atr * reach,
            take_distance=own.target_atr * reach,
            reason=reason,
        )

    def embedding(self) -> str:
        """What ``embed`` makes; nothing where the settings want no memory."""
        return "moment.1" if self._settings.memory else ""

    def embed(self, state: MarketState) -> Vector | None:
        """The market's state by past-only measures (``moment``); nothing before there are enough bars."""
        if not self._settings.memory or state.index + 1 < LOOK:
            return None
        return moment(state.bars[-LOOK:])

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        """Surer by the mean outcome of similar moments, in multiples of their risk, shrunk towards no edge."""
        told = [
            (one.weight, max(-MOST_R, min(one.episode.result_ppm / one.episode.risk_ppm, MOST_R)))
            for one in recalled
            if one.episode.risk_ppm
        ]
        mass = sum(weight for weight, _ in told)
        mean = sum(weight * outcome for weight, outcome in told) / (mass + PRIOR)
        factor = 1.0 + max(-0.5, min(mean, 0.5))
        return action._replace(confidence=min(action.confidence * factor, 1.0))
