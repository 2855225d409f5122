"""Uses what is compiled of core, so that it is compiled, or loaded, before anybody is judged."""

from __future__ import annotations

import numpy as np

from coinswarm import indicators
from coinswarm.domain.action import ActionColumns
from coinswarm_testkit.markets.plans import Scripted
from coinswarm_testkit.markets.seated import seated_bars, seated_plan
from coinswarm_testkit.worker.sessions import ENGINES, runner

SESSIONS = 8
"""Sessions that are run: every kind of sizing is among them."""

_BARS = 120
_PERIOD = 5


def warm() -> None:
    """Run a few sessions by each engine, with an agent that says nothing, and compute every indicator."""
    silent = ActionColumns(
        *(np.zeros(_BARS, kind) for kind in (np.int8, np.int16, np.uint8, np.int32, *2 * [np.int64]))
    )
    for seed in range(SESSIONS):
        bars = seated_bars(seed, _BARS)
        for engine in ENGINES:
            runner(engine)(seated_plan(seed, bars, [Scripted(silent) for _ in bars], warm_up=0))
    [one, *_] = seated_bars(0, _BARS)
    for by_period in (indicators.sma, indicators.ema, indicators.rsi, indicators.std, indicators.zscore):
        by_period(one.close, _PERIOD)
    for by_range in (indicators.atr, indicators.plus_di, indicators.minus_di, indicators.adx):
        by_range(one.high, one.low, one.close, _PERIOD)
    indicators.true_range(one.high, one.low, one.close)
    indicators.volatility(one.close, _PERIOD, one.length_ns)
    rising, falling = one.close > one.open, one.close < one.open
    indicators.latch(rising, falling, falling, rising)
    indicators.compare(one.close, one.open)
