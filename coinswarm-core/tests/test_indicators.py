"""Indicators: worked numbers, TA-Lib as oracle, exactness over a million bars, and what holds for every market."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import indicators
from coinswarm.indicators import (
    adx,
    atr,
    compare,
    ema,
    latch,
    minus_di,
    plus_di,
    rsi,
    settled,
    sma,
    std,
    true_range,
    volatility,
    zscore,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Market = tuple[Floats, Floats, Floats]
    Indicator = Callable[[Market, int], Floats]

HOUR_NS = 3_600_000_000_000

ALL: dict[str, Indicator] = {
    "sma": lambda m, n: sma(m[2], n),
    "ema": lambda m, n: ema(m[2], n),
    "rsi": lambda m, n: rsi(m[2], n),
    "true_range": lambda m, _: true_range(*m),
    "atr": lambda m, n: atr(*m, n),
    "plus_di": lambda m, n: plus_di(*m, n),
    "minus_di": lambda m, n: minus_di(*m, n),
    "adx": lambda m, n: adx(*m, n),
    "std": lambda m, n: std(m[2], n),
    "zscore": lambda m, n: zscore(m[2], n),
    "volatility": lambda m, n: volatility(m[2], n, HOUR_NS),
}
FIRST: dict[str, Callable[[int], int]] = {
    "sma": lambda n: n - 1,
    "ema": lambda n: n - 1,
    "rsi": lambda n: n,
    "true_range": lambda _: 1,
    "atr": lambda n: n,
    "plus_di": lambda n: n,
    "minus_di": lambda n: n,
    "adx": lambda n: 2 * n - 1,
    "std": lambda n: n - 1,
    "zscore": lambda n: n - 1,
    "volatility": lambda n: n,
}
ORACLE: dict[str, Indicator] = {
    "sma": lambda m, n: talib.SMA(m[2], n),
    "ema": lambda m, n: talib.EMA(m[2], n),
    "rsi": lambda m, n: talib.RSI(m[2], n),
    "true_range": lambda m, _: talib.TRANGE(*m),
    "atr": lambda m, n: talib.ATR(*m, n),
    "plus_di": lambda m, n: talib.PLUS_DI(*m, n),
    "minus_di": lambda m, n: talib.MINUS_DI(*m, n),
    "adx": lambda m, n: talib.ADX(*m, n),
}
PRICE_UNIT = frozenset({"sma", "ema", "true_range", "atr", "std"})
LOOPS = (
    "_finite",
    "_undefined",
    "_sma",
    "_deviation",
    "_quotient",
    "_ema",
    "_rsi",
    "_reach",
    "_true_range",
    "_atr",
    "_directional",
    "_compare",
    "_latch",
)


def random_market(bars: int, seed: int, step: float = 0.004) -> Market:
    """A random walk near 30,000 with two decimals, low <= close <= high."""
    rng = np.random.default_rng(seed)
    close = np.round(30_000 * np.exp(np.cumsum(rng.standard_normal(bars) * step)), 2)
    former = np.concatenate((close[:1], close[:-1]))
    high = np.round(np.maximum(former, close) * (1 + np.abs(rng.standard_normal(bars)) * step / 2), 2)
    low = np.round(np.minimum(former, close) * (1 - np.abs(rng.standard_normal(bars)) * step / 2), 2)
    return high, low, close


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Markets of 0 to 60 bars in whole cents, with flat stretches, jumps and gaps."""
    count = draw(st.integers(0, 60))
    move = st.one_of(st.just(0), st.integers(-30, 30), st.sampled_from([-4_000, 9_000]))
    cents = np.full(count, 10_000, np.int64)
    level = 10_000
    for i in range(count):
        level = max(level + draw(move), 100)
        cents[i] = level
    above = np.array(draw(st.lists(st.integers(0, 20), min_size=count, max_size=count)), np.int64)
    below = np.array(draw(st.lists(st.integers(0, 20), min_size=count, max_size=count)), np.int64)
    return (cents + above) / 100, (cents - below) / 100, cents / 100


# Worked by hand: small numbers that a reader can follow.


def test_sma_is_the_mean_of_the_window() -> None:
    np.testing.assert_array_equal(sma([1, 2, 3, 4, 8], 2), [nan, 1.5, 2.5, 3.5, 6.0])


def test_ema_begins_with_the_mean_and_moves_half_way_at_period_three() -> None:
    # k = 2 / (3 + 1) = 1/2; seed (2 + 4 + 6) / 3 = 4; then 4 -> 6 (towards 8), 6 -> 3 (towards 0).
    np.testing.assert_array_equal(ema([2, 4, 6, 8, 0], 3), [nan, nan, 4.0, 6.0, 3.0])


def test_rsi_is_the_share_of_the_rises() -> None:
    # Changes +1 -1 +2 0; gains 1/2, then (1/2 + 2) / 2 = 5/4, then 5/8; losses 1/2, 1/4, 1/8.
    np.testing.assert_allclose(rsi([10, 11, 10, 12, 12], 2), [nan, nan, 50.0, 100 * 5 / 6, 100 * 5 / 6])


def test_true_range_looks_back_to_the_former_close() -> None:
    # Inside the bar 12 - 10; gap up 20 - 11; gap down 20 - 9.
    high, low, close = [11, 12, 20, 10], [9, 10, 19, 9], [10, 11, 20, 9]
    np.testing.assert_array_equal(true_range(high, low, close), [nan, 2, 9, 11])
    # Mean of 2 and 9, then half way to 11.
    np.testing.assert_array_equal(atr(high, low, close, 2), [nan, nan, 5.5, 8.25])


def test_directional_movement_of_five_bars() -> None:
    high, low, close = [10, 12, 13, 13, 12], [8, 9, 11, 10, 8], [9, 11, 12, 11, 9]
    # row            1    2    3    4
    # +DM            2    1    0    0      rises of the high that exceed the fall of the low
    # -DM            0    0    1    2
    # true range     3    2    3    4
    # sums (n = 2: half of the old sum, plus the new one), begun with row 1:
    # +DM            2    2    1   1/2
    # -DM            0    0    1   5/2
    # true range     3   7/2 19/4 51/8
    np.testing.assert_allclose(plus_di(high, low, close, 2), [nan, nan, 400 / 7, 400 / 19, 400 / 51])
    np.testing.assert_allclose(minus_di(high, low, close, 2), [nan, nan, 0, 400 / 19, 2000 / 51])
    # DX: 100, 0, 100 * 2 / 3; ADX: mean of the first two, then half way.
    np.testing.assert_allclose(adx(high, low, close, 2), [nan, nan, nan, 50.0, (50 + 200 / 3) / 2])


def test_deviation_of_two_and_six() -> None:
    np.testing.assert_array_equal(std([2, 6, 6], 2), [nan, 2.0, 0.0])
    np.testing.assert_allclose(std([2, 6, 6], 2, ddof=1), [nan, sqrt(8), 0.0])
    np.testing.assert_array_equal(zscore([2, 6, 6, 2], 2), [nan, 1.0, 0.0, -1.0])


def test_volatility_of_a_year_is_that_of_an_hour_times_the_root_of_its_hours() -> None:
    # Returns +10 % and -10 %: sample deviation sqrt(2) / 10; 365 * 24 = 8,760 hours.
    np.testing.assert_allclose(volatility([100, 110, 99], 2, HOUR_NS), [nan, nan, sqrt(0.02 * 8_760)])


def test_latch_keeps_a_side_until_its_own_exit() -> None:
    np.testing.assert_array_equal(
        latch(
            enter_long=[0, 1, 0, 0, 0, 1, 0, 0, 1],
            leave_long=[1, 1, 0, 1, 0, 0, 0, 0, 0],
            enter_short=[0, 0, 0, 0, 1, 0, 1, 0, 1],
            leave_short=[0, 0, 1, 0, 0, 0, 0, 1, 0],
        ),
        [0, 1, 1, 0, -1, 1, -1, 0, 1],
    )


def test_compare_ties_what_only_rounding_separates() -> None:
    left = [nan, nan, 0.1 + 0.2, 30_000.01, 1.0, 2.0, 0.0]
    np.testing.assert_array_equal(compare(left, [nan, 1.0, 0.3, 30_000.0, 2.0, 1.0, 0.0]), [0, 0, 0, 1, -1, 1, 0])


# Against TA-Lib: the C library as an independent oracle; its rows of definition are ours.


@pytest.mark.parametrize("name", ORACLE)
@pytest.mark.parametrize("period", [2, 5, 14, 50])
def test_equal_on_a_random_market(name: str, period: int) -> None:
    market = random_market(5_000, seed=period)
    np.testing.assert_allclose(ALL[name](market, period), ORACLE[name](market, period), rtol=1e-9, atol=1e-9)


@pytest.mark.compiled
@pytest.mark.parametrize("name", ORACLE)
def test_equal_over_half_a_million_bars(name: str) -> None:
    market = random_market(500_000, seed=11, step=6e-4)
    np.testing.assert_allclose(ALL[name](market, 14), ORACLE[name](market, 14), rtol=1e-9, atol=1e-9)


def test_deviation_is_equal_within_the_digits_that_the_oracle_keeps() -> None:
    # TA-Lib subtracts squares of prices: near 30,000 about nine of its digits cancel.
    close = random_market(5_000, seed=1)[2]
    np.testing.assert_allclose(std(close, 20), talib.STDDEV(close, 20), rtol=1e-6)


@given(markets(), st.integers(2, 8))
def test_equal_on_odd_markets(market: Market, period: int) -> None:
    for name in set(ORACLE) - {"rsi"}:
        if len(market[2]) > 2 * period:
            ours, theirs = ALL[name](market, period), ORACLE[name](market, period)
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-7, err_msg=name)


def test_a_market_that_never_moved_is_neutral_and_not_oversold() -> None:
    flat = np.full(40, 7.25)
    assert talib.RSI(flat, 14)[-1] == 0
    np.testing.assert_array_equal(rsi(flat, 14)[14:], 50.0)


def test_a_market_that_has_stopped_moving_keeps_its_adx() -> None:
    high, low, close = random_market(300, seed=5)
    flat = np.full(12_000, close[-1])
    stopped = (np.concatenate((high, flat)), np.concatenate((low, flat)), np.concatenate((close, flat)))
    strength, up = adx(*stopped), plus_di(*stopped)
    assert np.isfinite(strength[27:]).all()
    assert strength[27:].max() <= 100
    assert np.ptp(strength[-10_000:]) == 0
    assert up[-1] == 0


# Exactness: a million bars leave no drift.


@pytest.mark.compiled
@pytest.mark.parametrize("level", [200, 3_000_000, 6_000_000_000], ids=["2", "30,000", "60,000,000"])
def test_every_cross_is_that_of_whole_cents(level: int) -> None:
    rng = np.random.default_rng(3)
    steps = rng.integers(-2, 3, 1_000_000)
    steps[rng.random(1_000_000) < 0.7] = 0  # many flat bars, so many ties
    walk = np.cumsum(steps)
    cents = level + np.where(walk < -level // 2, -walk, walk)
    total = np.concatenate(([0], np.cumsum(cents)))
    fast = 2 * (total[20:] - total[10:-10])
    slow = total[20:] - total[:-20]
    exact = np.sign(fast - slow)
    close = cents / 100
    found = compare(sma(close, 10), sma(close, 20))
    assert (found[:19] == 0).all()
    np.testing.assert_array_equal(found[19:], exact)
    assert (exact == 0).sum() > 10_000, "the market must hold ties, or it shows nothing"


@pytest.mark.compiled
def test_the_mean_after_a_million_bars_is_that_of_its_window() -> None:
    close = random_market(1_000_000, seed=2, step=6e-4)[2]
    close[500_000] = 1e15  # and after a spike that would stay in a running sum
    found = sma(close, 20)
    rows = np.concatenate((np.arange(500_020, 500_100), np.arange(999_000, 1_000_000)))
    exact = np.array([np.mean(close[i - 19 : i + 1].astype(np.longdouble)) for i in rows], np.float64)
    np.testing.assert_allclose(found[rows], exact, rtol=1e-15)


@pytest.mark.compiled
def test_the_deviation_forgets_a_spike_and_does_not_mind_the_level() -> None:
    rng = np.random.default_rng(4)
    values = 1e8 + np.cumsum(rng.integers(-1, 2, 1_000_000)) / 100
    values[300_000] = 1e15
    values[600_000:600_040] = values[600_000]
    rows = np.concatenate((np.arange(300_020, 300_300), np.arange(999_700, 1_000_000)))
    exact = []
    for i in rows:
        window = values[i - 19 : i + 1].astype(np.longdouble)
        exact.append(float(np.sqrt(np.mean((window - window.mean()) ** 2))))
    np.testing.assert_allclose(std(values, 20)[rows], exact, rtol=1e-9)
    np.testing.assert_array_equal(std(values, 20)[600_019:600_040], 0.0)
    np.testing.assert_array_equal(zscore(values, 20)[600_019:600_040], 0.0)


def test_a_flat_window_gives_the_flat_price_itself() -> None:
    close = np.concatenate((random_market(50, 1)[2], np.full(200, 29_123.47)))
    for period in (3, 7, 10, 20, 30):
        np.testing.assert_array_equal(sma(close, period)[50 + period :], 29_123.47)


# Every market: invariants.


@given(markets(), st.integers(2, 8), st.data())
def test_a_row_depends_on_no_later_one(market: Market, period: int, data: st.DataObject) -> None:
    count = len(market[2])
    cut = data.draw(st.integers(0, count))
    short = (market[0][:cut], market[1][:cut], market[2][:cut])
    for name, indicator in ALL.items():
        whole, part = indicator(market, period), indicator(short, period)
        np.testing.assert_array_equal(part, whole[:cut], err_msg=name)


@given(markets(), st.integers(2, 8))
def test_undefined_exactly_before_the_documented_row(market: Market, period: int) -> None:
    for name, indicator in ALL.items():
        values = indicator(market, period)
        assert values.dtype == np.float64
        assert len(values) == len(market[2])
        np.testing.assert_array_equal(np.isnan(values), np.arange(len(values)) < FIRST[name](period), err_msg=name)


@given(markets(), st.integers(2, 8), st.integers(-40, 40))
def test_a_change_of_unit_changes_prices_only(market: Market, period: int, power: int) -> None:
    # Powers of two scale floats without rounding, so the results must be equal to the bit.
    factor = 2.0**power
    scaled = (market[0] * factor, market[1] * factor, market[2] * factor)
    for name, indicator in ALL.items():
        expected = indicator(market, period) * (factor if name in PRICE_UNIT else 1.0)
        np.testing.assert_array_equal(indicator(scaled, period), expected, err_msg=name)


@given(markets(), st.integers(2, 8))
def test_bounds(market: Market, period: int) -> None:
    for name in ("rsi", "adx", "plus_di", "minus_di"):
        values = ALL[name](market, period)[FIRST[name](period) :]
        assert ((values >= 0) & (values <= 100 + 1e-9)).all(), name
    for name in ("true_range", "atr", "std", "volatility"):
        assert (ALL[name](market, period)[FIRST[name](period) :] >= 0).all(), name
    assert (np.abs(zscore(market[2], period)[period - 1 :]) <= sqrt(period - 1) + 1e-9).all()


@given(markets(), st.integers(2, 8))
def test_rsi_of_the_mirrored_market_is_mirrored(market: Market, period: int) -> None:
    np.testing.assert_allclose(rsi(-market[2], period), 100 - rsi(market[2], period), atol=1e-9)


@given(markets(), st.integers(2, 8))
def test_directions_change_places_in_the_mirrored_market(market: Market, period: int) -> None:
    high, low, close = market
    mirrored = (200 - low, 200 - high, 200 - close)
    # 200 - x rounds: a tie between rise and fall may break, so only markets of exact floats are compared.
    exact = all((np.array(200 - (200 - c)) == c).all() and (c * 4 == np.rint(c * 4)).all() for c in market)
    if exact:
        np.testing.assert_allclose(plus_di(*mirrored, period), minus_di(*market, period))
        np.testing.assert_allclose(adx(*mirrored, period), adx(*market, period))


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()), max_size=40))
def test_latch_is_what_its_rule_says(rows: list[tuple[bool, bool, bool, bool]]) -> None:
    side, expected = 0, []
    for enter_long, leave_long, enter_short, leave_short in rows:
        leaving = leave_long if side == 1 else leave_short
        side = 1 if enter_long else -1 if enter_short else 0 if leaving else side
        expected.append(side)
    columns = np.array(rows, np.bool_).reshape(len(rows), 4).T
    np.testing.assert_array_equal(latch(*columns), expected)


# Compiled code: the compiled loops are their Python source.


@pytest.mark.compiled
def test_compiled_and_plain_agree_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    market = random_market(400, seed=8)
    market[0][200:240] = market[1][200:240] = market[2][200:240] = market[2][199]
    columns = (market[2] > market[0] - 20, market[2] < 29_900, market[2] < market[1] + 20, market[2] > 30_100)
    compiled = {name: indicator(market, 7) for name, indicator in ALL.items()}
    stance, cross = latch(*columns), compare(compiled["sma"], compiled["ema"])
    for name in LOOPS:
        monkeypatch.setattr(indicators, name, getattr(indicators, name).py_func)
    for name, indicator in ALL.items():
        np.testing.assert_array_equal(indicator(market, 7), compiled[name], err_msg=name)
    np.testing.assert_array_equal(latch(*columns), stance)
    np.testing.assert_array_equal(compare(compiled["sma"], compiled["ema"]), cross)
    assert set(stance) == {-1, 0, 1}


@pytest.mark.compiled
def test_each_loop_is_compiled_once_for_writable_and_read_only_columns() -> None:
    market = random_market(100, seed=9)
    for writeable in (True, False):
        for column in market:
            column.flags.writeable = writeable
        for indicator in ALL.values():
            assert np.isfinite(indicator(market, 5)[-1])
    for name in LOOPS:
        assert len(getattr(indicators, name).signatures) <= 1, name


def test_input_is_left_as_it_was() -> None:
    market = random_market(200, seed=10)
    copies = [column.copy() for column in market]
    for indicator in ALL.values():
        indicator(market, 5)
    for column, copy in zip(market, copies, strict=True):
        np.testing.assert_array_equal(column, copy)


# Warm-up: defined is not settled (S6).


def test_settled_is_twenty_periods() -> None:
    assert settled(14) == 280


def test_adx_needs_the_whole_of_it() -> None:
    high, low, close = random_market(3_000, seed=12)
    at_ends = adx(high, low, close)[999:2_999]
    windows = {
        bars: np.array(
            [
                adx(high[end - bars : end], low[end - bars : end], close[end - bars : end])[-1]
                for end in range(1_000, 3_000)
            ]
        )
        for bars in (60, settled(14))
    }
    assert ((windows[60] > 25) != (at_ends > 25)).sum() > 20, "60 bars flip the gate"
    assert ((windows[280] > 25) != (at_ends > 25)).sum() == 0
    assert np.abs(windows[280] - at_ends).max() < 1e-3


def test_an_indicator_of_an_indicator_begins_where_the_inner_one_is_defined() -> None:
    close = random_market(100, seed=13)[2]
    inner = rsi(close, 14)
    np.testing.assert_array_equal(sma(inner, 5)[:18], np.full(18, nan))
    np.testing.assert_array_equal(sma(inner, 5)[18:], sma(inner[14:], 5)[4:])


def test_a_hole_in_the_bars_is_not_made_up_for() -> None:
    assert np.isnan(sma([], 3)).all()
    assert np.isnan(adx([1.0], [1.0], [1.0])).all()
    assert len(sma([nan, nan], 1)) == 2


# Refusals: one line that names the thing and the value.


@pytest.mark.parametrize("period", [0, -3, 2.0, "10", True, None])
@pytest.mark.parametrize("name", sorted(set(ALL) - {"true_range"}))
def test_period(name: str, period: int) -> None:
    with pytest.raises(ValueError, match=rf"^period of \w+ is {period!r}, but must be a whole number of at least"):
        ALL[name](random_market(50, 1), period)


def test_a_sample_deviation_needs_two_values() -> None:
    with pytest.raises(ValueError, match=r"^period of std is 1, .* at least 2$"):
        std([1.0, 2.0], 1, ddof=1)


def test_bar_length() -> None:
    with pytest.raises(ValueError, match=r"^period of bar length is 0"):
        volatility([1.0, 2.0, 3.0], 2, 0)


def test_values_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match=r"^values is inf in row 3, .* first finite row \(1\)$"):
        sma([nan, 1.0, 2.0, float("inf")], 2)
    with pytest.raises(ValueError, match=r"^low is nan in row 1"):
        atr([1.0, 2.0], [1.0, nan], [1.0, 2.0])


def test_prices_that_are_not_positive() -> None:
    with pytest.raises(ValueError, match=r"^close is -1.0 in row 1, but a return needs positive prices$"):
        volatility([2.0, -1.0, 0.0], 2, HOUR_NS)


def test_lengths_and_dimensions() -> None:
    with pytest.raises(ValueError, match=r"^columns differ in length: high 2, low 1, close 2$"):
        adx([1.0, 2.0], [1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^columns differ in length: enter_long 1"):
        latch([True], [True, False], [True], [True])
    with pytest.raises(ValueError, match=r"^columns differ in length: left 1, right 2"):
        compare([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^values has 2 dimensions"):
        sma(np.ones((2, 2)), 1)
