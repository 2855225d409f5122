"""The mean-reversion agent: a z-score far from 0 is bet against where ADX shows no trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ActionColumns, Side
from coinswarm.indicators import adx, atr, latch, settled, sma, zscore
from coinswarm_meanrev.reasons import Reason
from coinswarm_meanrev.settings import MeanReversionSettings

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars

_REASON_OF_SIDE = np.array(
    [Reason.STRETCHED_UP, Reason.NEAR_MEAN, Reason.STRETCHED_DOWN, Reason.KEEPING, Reason.WARMING_UP], np.uint8
)
"""By side code + 1: SELL, FLAT, BUY, HOLD, ABSTAIN."""


class MeanReversionAgent(ColumnarAgent):
    """Buys far below the mean and sells far above it, while no trend is on.

    With z the z-score of the close over ``window`` bars:

    - z < -``entry_z`` and ADX < ``adx_gate``: BUY; z > ``entry_z`` and ADX < ``adx_gate``: SELL.
    - A long is left (FLAT) once z >= -``exit_z``, a short once z <= ``exit_z``.
    - Between, or when ADX has risen above the gate, an open side is kept (HOLD); its stop is what
      ends a bet that a trend runs over.

    The side it is on is a function of the bars so far (a latch over the columns). Confidence is
    abs(z) / (2 ``entry_z``), at most 1: one half at the entry level. The target is the mean itself: its
    distance is abs(close - mean) at entry. The stop is ``stop_atr`` x ATR.
    """

    def __init__(self, settings: MeanReversionSettings | None = None) -> None:
        self._settings = settings or MeanReversionSettings()

    def warm_up(self) -> int:
        """Bars until ADX and ATR no longer depend on where the history begins (S6)."""
        own = self._settings
        return max(own.window, settled(own.adx_period), settled(own.atr_period))

    def get_config(self) -> dict[str, Any]:
        """The settings in force."""
        return self._settings.model_dump(mode="json")

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The actions at every bar; abstains until all indicators are defined."""
        own = self._settings
        z = zscore(bars.close, own.window)
        to_mean = np.abs(bars.close - sma(bars.close, own.window))
        strength = adx(bars.high, bars.low, bars.close, own.adx_period)
        reach = atr(bars.high, bars.low, bars.close, own.atr_period)
        undefined = max(own.window - 1, 2 * own.adx_period - 1, own.atr_period)
        z[:undefined] = to_mean[:undefined] = strength[:undefined] = reach[:undefined] = 0.0

        calm = strength < own.adx_gate
        low, high = z < -own.entry_z, z > own.entry_z
        buy, sell = low & calm, high & calm
        held = latch(buy, z >= -own.exit_z, sell, z <= own.exit_z)
        side = np.where(held == 0, np.int8(Side.FLAT), np.int8(Side.HOLD))
        side[buy] = Side.BUY
        side[sell] = Side.SELL
        side[:undefined] = Side.ABSTAIN
        reason = _REASON_OF_SIDE[side + 1]
        reason[(held == 0) & (low | high)] = Reason.TRENDING
        reason[1:][(held[1:] == 0) & (held[:-1] != 0)] = Reason.REVERTED
        return ActionColumns.of(
            bars.instrument,
            side,
            confidence=np.minimum(np.abs(z) / (2 * own.entry_z), 1.0),
            size=own.size,
            stop_distance=own.stop_atr * reach,
            take_distance=to_mean,
            reason=reason,
        )
