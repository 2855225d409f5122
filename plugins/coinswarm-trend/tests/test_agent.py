"""The trend agent: thirty bars by hand, told markets, its rules in plain Python, and no look ahead."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from coinswarm.domain.action import ABSTAIN, Side
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars, MarketState
from coinswarm.indicators import sma
from coinswarm_trend.agent import TrendAgent
from coinswarm_trend.reasons import WORDS, Reason
from coinswarm_trend.settings import TrendSettings

HOUR_NS = 3_600_000_000_000
INSTRUMENT = Instrument("BTC/USD", Decimal("0.01"), Decimal("0.0001"), shortable=True)
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "ohlcv"

BUY, SELL, FLAT, HOLD = Side.BUY, Side.SELL, Side.FLAT, Side.HOLD


def bars_of(close: np.ndarray, reach: np.ndarray | float = 1.0) -> Bars:
    """Hourly bars around closes: high and low lie ``reach`` away."""
    close = np.asarray(close, np.float64)
    times = np.arange(len(close), dtype=np.int64) * HOUR_NS
    return Bars(INSTRUMENT, HOUR_NS, times, close, close + reach, close - reach, close, np.ones(len(close)))


def generated(count: int, seed: int) -> Bars:
    """A market that trends and ranges by turns, with two decimals, a spike and a flat stretch."""
    rng = np.random.default_rng(seed)
    drift = np.repeat(rng.choice([-0.002, 0.0, 0.0, 0.002], count // 60 + 1), 60)[:count]
    close = 20_000 * np.exp(np.cumsum(drift + rng.standard_normal(count) * 0.003))
    close[count // 3] *= 1.3
    close[count // 2 : count // 2 + 60] = close[count // 2]
    reach = np.round(np.abs(rng.standard_normal(count)) * 40, 2)
    reach[count // 2 : count // 2 + 60] = 0
    return bars_of(np.round(close, 2), reach)


# close, fast (mean of 2), slow (mean of 4), ADX of period 2, then what the rule says. High and low lie 1 away.
BY_HAND = [
    (50, None, None, None, Side.ABSTAIN),
    (50, 50.0, None, None, Side.ABSTAIN),
    (52, 51.0, None, None, Side.ABSTAIN),
    (50, 51.0, 50.50, 66.67, BUY),  # the first bar on which all are defined
    (52, 51.0, 51.00, 54.76, HOLD),  # equal averages decide nothing, strong as the trend may be
    (51, 51.5, 51.25, 31.93, BUY),
    (50, 50.5, 50.75, 39.65, SELL),  # a strong cross back turns at once
    (49, 49.5, 50.50, 55.54, SELL),
    (50, 49.5, 50.00, 32.99, SELL),
    (48, 49.0, 49.25, 47.52, SELL),
    (49, 48.5, 49.00, 24.84, HOLD),  # below the gate, not crossed back: the short is kept
    (49, 49.0, 49.00, 13.51, HOLD),
    (48, 48.5, 48.50, 36.99, HOLD),
    (51, 49.5, 49.25, 51.35, BUY),
    (49, 50.0, 49.25, 35.23, BUY),
    (46, 47.5, 48.50, 51.66, SELL),
    (43, 44.5, 47.25, 68.62, SELL),
    (44, 43.5, 45.50, 52.27, SELL),
    (47, 45.5, 45.00, 50.05, BUY),
    (46, 46.5, 45.00, 27.41, BUY),
    (46, 46.0, 45.75, 16.10, HOLD),  # below the gate, not crossed back: the long is kept
    (46, 46.0, 46.25, 10.44, FLAT),  # S2: crossed back, so it leaves at any ADX
    (47, 46.5, 46.25, 40.92, BUY),
    (44, 45.5, 45.75, 53.97, SELL),
    (43, 43.5, 45.00, 66.27, SELL),
    (42, 42.5, 44.00, 76.83, SELL),
    (41, 41.5, 42.50, 84.96, SELL),
    (42, 41.5, 42.00, 43.21, SELL),
    (42, 42.0, 41.75, 22.33, FLAT),  # the short is left likewise
    (42, 42.0, 41.75, 11.89, FLAT),  # and no weak cross is entered
]


def test_thirty_bars_by_hand() -> None:
    agent = TrendAgent(TrendSettings(fast=2, slow=4, adx_period=2, atr_period=2))
    bars = bars_of(np.array([row[0] for row in BY_HAND]))
    actions = [agent.decide_all(bars).action(INSTRUMENT, row) for row in range(len(bars))]
    assert [action.side for action in actions] == [row[-1] for row in BY_HAND]
    fast, slow = sma(bars.close, 2), sma(bars.close, 4)
    assert [round(value, 2) for value in fast[3:]] == [row[1] for row in BY_HAND[3:]]
    assert [round(value, 2) for value in slow[3:]] == [row[2] for row in BY_HAND[3:]]
    for action, (_, _, _, strength, side) in zip(actions, BY_HAND, strict=True):
        if side is not Side.ABSTAIN and strength is not None:
            assert action.confidence == pytest.approx(min(strength / 50, 1), abs=2e-4)


def test_distances_and_size_are_those_of_the_settings() -> None:
    # Closes 50 50 52 50: true ranges 2, 3, 3; ATR(2): 2.5, then 2.75.
    agent = TrendAgent(TrendSettings(fast=2, slow=4, adx_period=2, atr_period=2, size=0.4))
    action = agent.decide(MarketState.at(bars_of(np.array([50, 50, 52, 50])), 3))
    assert action.side is BUY
    assert (action.stop_distance, action.take_distance, action.size) == (5.5, 8.25, 0.4)
    assert WORDS[action.reason] == "fast average above slow, trend strong"


def test_golden_cross_is_bought_once_the_trend_is_strong() -> None:
    rng = np.random.default_rng(1)
    close = np.round(np.concatenate((1_000 + rng.standard_normal(300), 1_000 + 2.0 * np.arange(1, 101))), 2)
    side = TrendAgent().decide_all(bars_of(close)).direction
    assert (side[310:] != SELL).all()
    first = int(np.flatnonzero(side[300:] == BUY)[0])
    assert 3 <= first <= 15, "after the averages have crossed and ADX has risen, not with the first bar"
    assert (side[300 + first :] == BUY).all()


def test_whipsaw_is_sat_out() -> None:
    close = 1_000 + 3.0 * np.tile([0, 1, 0, -1], 150)
    columns = TrendAgent().decide_all(bars_of(close))
    assert (columns.direction[TrendAgent().warm_up() :] == FLAT).all()
    assert (columns.confidence_bp[TrendAgent().warm_up() :] >= 0).all()


def test_a_single_spike_enters_nothing() -> None:
    close = 1_000 + 3.0 * np.tile([0, 1, 0, -1], 150)
    close[400] = 1_500
    columns = TrendAgent().decide_all(bars_of(close))
    # One bar moves ADX(14) by at most 100 / 14; the stop has widened by the time anything is entered.
    assert columns.direction[400] == FLAT
    assert (columns.confidence_bp[280:] >= 0).all()
    assert columns.stop_ticks[400] > 9 * columns.stop_ticks[399]


def test_a_market_that_never_moves_is_left_alone() -> None:
    columns = TrendAgent().decide_all(bars_of(np.full(400, 123.45), 0.0))
    assert (columns.direction == FLAT).all()
    assert set(columns.reason[27:]) == {Reason.NO_TREND}


def test_a_mirrored_market_is_traded_the_other_way() -> None:
    bars = bars_of(np.array([row[0] for row in BY_HAND]))
    agent = TrendAgent(TrendSettings(fast=2, slow=4, adx_period=2, atr_period=2))
    side = agent.decide_all(bars).direction
    mirrored = agent.decide_all(bars_of(100 - bars.close)).direction
    np.testing.assert_array_equal(mirrored, np.where(side == HOLD, HOLD, -side))


@pytest.mark.soundness
@pytest.mark.parametrize("seed", [1, 2])
def test_no_row_changes_when_later_bars_arrive(seed: int) -> None:
    agent, bars = TrendAgent(), generated(1_500, seed)
    whole = agent.decide_all(bars)
    for row in range(len(bars)):
        part = agent.decide_all(bars[: row + 1])
        for name in whole.__slots__:
            assert getattr(part, name)[row] == getattr(whole, name)[row], (name, row)
    assert set(whole.reason) == set(Reason), "the market must reach every reason, or it shows little"


@pytest.mark.soundness
def test_decide_is_the_row_of_the_columns() -> None:
    agent, bars = TrendAgent(), generated(600, 3)
    whole = agent.decide_all(bars)
    for row in range(len(bars)):
        assert agent.decide(MarketState.at(bars, row)) == whole.action(INSTRUMENT, row)


def test_short_histories_abstain() -> None:
    agent, bars = TrendAgent(), generated(120, 4)
    assert len(agent.decide_all(bars[:0])) == 0
    assert agent.decide(MarketState(bars)) == ABSTAIN
    assert (agent.decide_all(bars[:27]).confidence_bp == -1).all()
    assert agent.decide_all(bars[:28]).confidence_bp[27] >= 0


def test_after_warm_up_nothing_depends_on_where_the_history_began() -> None:
    agent, bars = TrendAgent(), generated(4_000, 5)
    whole, later = agent.decide_all(bars), agent.decide_all(bars[1_500:])
    settled = slice(agent.warm_up(), None)
    np.testing.assert_array_equal(later.direction[settled], whole.direction[1_500:][settled])
    np.testing.assert_allclose(later.confidence_bp[settled], whole.confidence_bp[1_500:][settled], atol=1)
    np.testing.assert_allclose(later.stop_ticks[settled], whole.stop_ticks[1_500:][settled], atol=1)


def rule_in_plain_python(bars: Bars) -> list[int]:
    """The agent's rule with default settings, bar by bar over TA-Lib's indicators."""
    fast, slow = talib.SMA(bars.close, 10), talib.SMA(bars.close, 20)
    strength = talib.ADX(bars.high, bars.low, bars.close, 14)
    held, sides = 0, []
    for row in range(len(bars)):
        gap = fast[row] - slow[row]
        cross = 0 if abs(gap) < 1e-9 * slow[row] else 1 if gap > 0 else -1
        if np.isnan(strength[row]):
            sides.append(0)
        elif cross and strength[row] > 25:
            held = cross
            sides.append(cross)
        else:
            if cross == -held:
                held = 0
            sides.append(int(HOLD) if held else 0)
    return sides


def test_equals_its_rule_in_plain_python() -> None:
    bars = generated(20_000, 6)
    np.testing.assert_array_equal(TrendAgent().decide_all(bars).direction, rule_in_plain_python(bars))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded bars are not beside this repository")
def test_on_recorded_bars() -> None:
    table = pd.read_csv(SHARED / "bitstamp_BTCUSD_1h_2020-01_2022-02.csv.gz")
    times = table["timestamp_ms"].to_numpy(np.int64) * 1_000_000
    columns = [table[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")]
    bars = Bars(INSTRUMENT, HOUR_NS, times, *columns)
    found = TrendAgent().decide_all(bars)
    np.testing.assert_array_equal(found.direction, rule_in_plain_python(bars))
    counts = np.bincount(found.reason, minlength=len(Reason))
    assert counts.sum() == len(bars)
    assert counts[Reason.WARMING_UP] == 27
    assert (counts > 100)[1:].all(), counts
    assert (found.stop_ticks[27:] > 0).all()
    assert (found.take_ticks[27:] > found.stop_ticks[27:]).all()


def test_config_is_the_settings() -> None:
    config = TrendAgent(TrendSettings(fast=5)).get_config()
    assert config["fast"] == 5
    assert TrendSettings(**config) == TrendSettings(fast=5)
