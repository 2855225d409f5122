"""The mean-reversion agent: thirty bars by hand, told markets, its rules in plain Python, and no look ahead."""

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
from coinswarm.indicators import adx
from coinswarm_meanrev.agent import MeanReversionAgent
from coinswarm_meanrev.reasons import WORDS, Reason
from coinswarm_meanrev.settings import MeanReversionSettings

HOUR_NS = 3_600_000_000_000
INSTRUMENT = Instrument("BTC/USD", Decimal("0.01"), Decimal("0.0001"), shortable=True)
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "ohlcv"
SMALL = MeanReversionSettings(window=6, entry_z=1.5, exit_z=0.5, adx_period=2, adx_gate=40, atr_period=2)

BUY, SELL, FLAT, HOLD, NONE = Side.BUY, Side.SELL, Side.FLAT, Side.HOLD, Side.ABSTAIN


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


# close, z over 6 bars, ADX of period 2, then what the rule says: entry 1.5, exit 0.5, gate 40. High and low lie 1 away.
BY_HAND = [
    (50, None, None, NONE, Reason.WARMING_UP),
    (46, None, None, NONE, Reason.WARMING_UP),
    (45, None, None, NONE, Reason.WARMING_UP),
    (41, None, 100.0, NONE, Reason.WARMING_UP),
    (51, None, 78.43, NONE, Reason.WARMING_UP),
    (52, 1.165, 70.57, FLAT, Reason.NEAR_MEAN),  # mean 47.5, variance 179/12
    (51, 0.836, 49.29, FLAT, Reason.NEAR_MEAN),
    (52, 0.796, 49.41, FLAT, Reason.NEAR_MEAN),
    (51, 0.342, 27.92, FLAT, Reason.NEAR_MEAN),
    (50, -1.698, 37.20, BUY, Reason.STRETCHED_DOWN),  # mean 307/6, variance 17/36
    (49, -1.718, 54.19, HOLD, Reason.KEEPING),  # as far, but ADX rose above the gate: no new entry, the old one stands
    (50, -0.522, 32.58, HOLD, Reason.KEEPING),  # not yet within 0.5
    (49, -1.093, 37.98, HOLD, Reason.KEEPING),
    (53, 1.940, 54.41, FLAT, Reason.REVERTED),  # past the mean; too strong a trend to bet against from there
    (50, -0.124, 38.29, FLAT, Reason.NEAR_MEAN),
    (50, -0.124, 30.23, FLAT, Reason.NEAR_MEAN),
    (50, -0.267, 26.20, FLAT, Reason.NEAR_MEAN),
    (49, -0.868, 47.23, FLAT, Reason.NEAR_MEAN),
    (49, -0.868, 57.74, FLAT, Reason.NEAR_MEAN),
    (50, 0.707, 53.90, FLAT, Reason.NEAR_MEAN),
    (46, -2.121, 65.62, FLAT, Reason.TRENDING),  # far from the mean, ADX above the gate
    (42, -1.976, 78.61, FLAT, Reason.TRENDING),
    (51, 1.048, 64.31, FLAT, Reason.NEAR_MEAN),
    (51, 0.876, 57.15, FLAT, Reason.NEAR_MEAN),
    (51, 0.735, 53.58, FLAT, Reason.NEAR_MEAN),
    (51, 0.667, 51.79, FLAT, Reason.NEAR_MEAN),
    (51, 0.447, 50.89, FLAT, Reason.NEAR_MEAN),
    (51, 0.000, 50.45, FLAT, Reason.NEAR_MEAN),  # a flat window: deviation 0, z 0
    (55, 2.236, 74.09, FLAT, Reason.TRENDING),
    (51, -0.447, 53.06, FLAT, Reason.NEAR_MEAN),
]


def test_thirty_bars_by_hand() -> None:
    bars = bars_of(np.array([row[0] for row in BY_HAND]))
    columns = MeanReversionAgent(SMALL).decide_all(bars)
    actions = [columns.action(INSTRUMENT, row) for row in range(len(bars))]
    assert [action.side for action in actions] == [row[3] for row in BY_HAND]
    assert [action.reason for action in actions] == [row[4] for row in BY_HAND]
    strength = adx(bars.high, bars.low, bars.close, 2)
    assert [round(value, 2) for value in strength[3:]] == [row[2] for row in BY_HAND[3:]]
    for action, (_, z, _, side, _) in zip(actions, BY_HAND, strict=True):
        if z is not None and side is not NONE:
            assert action.confidence == pytest.approx(min(abs(z) / 3, 1), abs=3e-4)


def test_target_is_the_mean_and_the_stop_its_own_multiple_of_atr() -> None:
    # Row 9: close 50, mean 307/6, so the target lies 7/6 away; ATR(2) is 557/256, the stop 1.5 times that.
    bars = bars_of(np.array([row[0] for row in BY_HAND]))
    action = MeanReversionAgent(SMALL).decide(MarketState.at(bars, 9))
    assert action.side is BUY
    assert (action.take_distance, action.stop_distance) == pytest.approx((1.17, 3.26))
    assert WORDS[action.reason] == "price far below its mean, no trend"


def test_a_mirrored_market_is_traded_the_other_way() -> None:
    bars = bars_of(np.array([row[0] for row in BY_HAND]))
    side = MeanReversionAgent(SMALL).decide_all(bars).direction
    mirrored = MeanReversionAgent(SMALL).decide_all(bars_of(100 - bars.close))
    np.testing.assert_array_equal(mirrored.direction, np.where(side == HOLD, HOLD, -side))
    assert mirrored.action(INSTRUMENT, 9).side is SELL
    assert mirrored.action(INSTRUMENT, 9).reason == Reason.STRETCHED_UP


def test_a_strong_trend_is_never_bet_against() -> None:
    rng = np.random.default_rng(1)
    close = np.round(1_000 + 3.0 * np.arange(600) + rng.standard_normal(600), 2)
    columns = MeanReversionAgent().decide_all(bars_of(close))
    assert (columns.direction == FLAT).all()


def test_a_dip_in_a_calm_market_is_bought_and_left_at_the_mean() -> None:
    close = 1_000 + np.tile([0.0, 1.0, 0.0, -1.0], 100)
    close[300:303] = (997.0, 997.0, 998.0)
    side = MeanReversionAgent().decide_all(bars_of(close)).direction
    assert (side[280:300] == FLAT).all()
    assert side[300] == BUY
    assert side[301] in (BUY, HOLD)
    assert (side[304:320] == FLAT).all()


def test_a_crash_is_held_to_its_stop_and_no_further_entry_follows_in_the_fall() -> None:
    close = 1_000 + np.tile([0.0, 1.0, 0.0, -1.0], 100)
    close[300:340] = 995 - 5.0 * np.arange(40)
    columns = MeanReversionAgent().decide_all(bars_of(close))
    assert columns.direction[300] == BUY
    assert columns.stop_ticks[300] > 0
    risen = talib.ADX(close + 1, close - 1, close, 14)[300:340] >= 20
    assert risen[5:].all()
    assert (columns.direction[300:340][risen] != BUY).all()


def test_a_single_spike_leaves_finite_actions() -> None:
    close = 1_000 + 3.0 * np.tile([0, 1, 0, -1], 150)
    close[400] = 1_500
    columns = MeanReversionAgent().decide_all(bars_of(close))
    assert (columns.confidence_bp[27:] >= 0).all()
    assert columns.direction[400] == SELL
    assert columns.direction[401] == FLAT
    # z of the rows whose window holds the spike is small: nothing is entered off it.
    assert (columns.direction[401:420] == FLAT).all()


def test_a_market_that_never_moves_is_left_alone() -> None:
    columns = MeanReversionAgent().decide_all(bars_of(np.full(400, 123.45), 0.0))
    assert (columns.direction == FLAT).all()
    assert set(columns.reason[27:]) == {Reason.NEAR_MEAN}


@pytest.mark.soundness
@pytest.mark.parametrize("seed", [1, 2])
def test_no_row_changes_when_later_bars_arrive(seed: int) -> None:
    agent, bars = MeanReversionAgent(), generated(1_500, seed)
    whole = agent.decide_all(bars)
    for row in range(len(bars)):
        part = agent.decide_all(bars[: row + 1])
        for name in whole.__slots__:
            assert getattr(part, name)[row] == getattr(whole, name)[row], (name, row)
    assert set(whole.reason) == set(Reason), "the market must reach every reason, or it shows little"


@pytest.mark.soundness
def test_decide_is_the_row_of_the_columns() -> None:
    agent, bars = MeanReversionAgent(), generated(600, 3)
    whole = agent.decide_all(bars)
    for row in range(len(bars)):
        assert agent.decide(MarketState.at(bars, row)) == whole.action(INSTRUMENT, row)


def test_short_histories_abstain() -> None:
    agent, bars = MeanReversionAgent(), generated(120, 4)
    assert len(agent.decide_all(bars[:0])) == 0
    assert agent.decide(MarketState(bars)) == ABSTAIN
    assert (agent.decide_all(bars[:27]).confidence_bp == -1).all()
    assert agent.decide_all(bars[:28]).confidence_bp[27] >= 0


def test_after_warm_up_nothing_depends_on_where_the_history_began() -> None:
    agent, bars = MeanReversionAgent(), generated(4_000, 5)
    whole, later = agent.decide_all(bars), agent.decide_all(bars[1_500:])
    settled = slice(agent.warm_up(), None)
    np.testing.assert_array_equal(later.direction[settled], whole.direction[1_500:][settled])
    np.testing.assert_allclose(later.confidence_bp[settled], whole.confidence_bp[1_500:][settled], atol=1)
    np.testing.assert_allclose(later.stop_ticks[settled], whole.stop_ticks[1_500:][settled], atol=1)


def rule_in_plain_python(bars: Bars) -> list[int]:
    """The agent's rule with default settings, bar by bar; ADX from TA-Lib, z from each window by itself."""
    strength = talib.ADX(bars.high, bars.low, bars.close, 14)
    held, sides = 0, []
    for row in range(len(bars)):
        if np.isnan(strength[row]):
            sides.append(0)
            continue
        window = bars.close[row - 19 : row + 1].astype(np.longdouble)
        spread = window.std()
        z = float((window[-1] - window.mean()) / spread) if np.ptp(window) > 0 else 0.0
        if abs(z) > 2 and strength[row] < 20:
            held = -1 if z > 0 else 1
            sides.append(held)
        else:
            if (held > 0 and z >= -0.5) or (held < 0 and z <= 0.5):
                held = 0
            sides.append(int(HOLD) if held else 0)
    return sides


def test_equals_its_rule_in_plain_python() -> None:
    bars = generated(8_000, 6)
    np.testing.assert_array_equal(MeanReversionAgent().decide_all(bars).direction, rule_in_plain_python(bars))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded bars are not beside this repository")
def test_on_recorded_bars() -> None:
    table = pd.read_csv(SHARED / "bitstamp_BTCUSD_1h_2020-01_2022-02.csv.gz")
    times = table["timestamp_ms"].to_numpy(np.int64) * 1_000_000
    columns = [table[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")]
    bars = Bars(INSTRUMENT, HOUR_NS, times, *columns)
    found = MeanReversionAgent().decide_all(bars)
    np.testing.assert_array_equal(found.direction, rule_in_plain_python(bars))
    counts = np.bincount(found.reason, minlength=len(Reason))
    assert counts.sum() == len(bars)
    assert counts[Reason.WARMING_UP] == 27
    assert (counts > 100)[1:].all(), counts
    assert (found.stop_ticks[27:] > 0).all()
    entries = (found.direction == BUY) | (found.direction == SELL)
    assert (found.take_ticks[entries] > 0).all()


def test_config_is_the_settings() -> None:
    config = MeanReversionAgent(MeanReversionSettings(window=50)).get_config()
    assert config["window"] == 50
    assert MeanReversionSettings(**config) == MeanReversionSettings(window=50)
