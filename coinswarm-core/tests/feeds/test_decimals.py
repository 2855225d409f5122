"""Tick and lot from decimals, and the range of the integer path."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.instrument import INT_LIMIT, MONEY, Instrument
from coinswarm.domain.market import Bars
from coinswarm.errors import DataError
from coinswarm.feeds.decimals import MAX_DECIMALS, Extent, check_range, count_decimals, fit, step, vast


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 6)), min_size=1))
def test_decimals_are_those_of_the_shortest_text(numbers: list[tuple[int, int]]) -> None:
    values = [Decimal(whole).scaleb(-places) for whole, places in numbers]
    expected = max(-int(value.normalize().as_tuple().exponent) if value else 0 for value in values)
    assert count_decimals(np.array([float(value) for value in values])) == max(expected, 0)


@pytest.mark.parametrize("noisy", [8827252.0999999996, 34208874.200000003, 53218595.6000000015, 0.1 + 0.2])
def test_noise_of_a_double_is_not_a_decimal(noisy: float) -> None:
    assert count_decimals(np.array([noisy])) == 1


def test_finer_than_a_venue_counts_as_noise() -> None:
    assert count_decimals(np.array([1 / 3])) == MAX_DECIMALS


positive = st.floats(1e-9, 1e9)


@given(positive, st.floats(0.01, 1), st.floats(0, 1e12), st.integers(0, 12), st.integers(0, 12))
def test_inferred_steps_always_fit_and_never_get_finer(
    high: float, ratio: float, volume: float, price_decimals: int, volume_decimals: int
) -> None:
    extent = Extent(high=high, low=high * ratio, volume=volume, typical=volume / 2)
    finest = step(price_decimals), step(volume_decimals)
    tick, lot = fit(*finest, extent, may_tick=True, may_lot=True)
    assert extent.fits(tick, lot)
    assert (tick >= finest[0], lot >= finest[1]) == (True, True)


def test_a_declared_step_stays() -> None:
    extent = Extent(high=17_252.0, low=3_124.0, volume=6_717.0, typical=10.0)
    tick, lot = fit(Decimal("1E-8"), Decimal("1E-8"), extent, may_tick=False, may_lot=True)
    assert tick == Decimal("1E-8")
    assert extent.fits(tick, lot)
    assert not extent.fits(tick, lot.scaleb(-1))
    assert fit(Decimal("1E-8"), Decimal("1E-8"), extent, may_tick=False, may_lot=False)[1] == Decimal("1E-8")


def make_bars(price: float, volume: float, tick: str, lot: str) -> Bars:
    column = np.array([price])
    instrument = Instrument("BTC/USD", Decimal(tick), Decimal(lot))
    return Bars(instrument, 1, np.zeros(1, np.int64), column, column, column, column, np.array([volume]))


def test_bars_whose_integers_overflow_are_refused() -> None:
    check_range(make_bars(17_252.0, 6_717.0, "0.01", "0.00000001"))
    with pytest.raises(DataError, match=r"17252 in ticks of 1E-8 .* reaches 2\*\*62: choose a coarser tick or lot"):
        check_range(make_bars(17_252.0, 6_717.0, "0.00000001", "0.00000001"))


@pytest.mark.parametrize(
    ("price", "volume", "worth"),
    [
        (100_000_000.0, 12_000.0, "1.2e+12"),  # a day of BTC in won
        (69_000.0, 760_000.0, "5.24e+10"),  # a day of BTC in USDT, at a large venue
        (17_252.0, 6_717.0, ""),
    ],
)
def test_a_volume_may_be_worth_more_than_an_account_holds(price: float, volume: float, worth: str) -> None:
    assert (price * volume * MONEY >= INT_LIMIT) is bool(worth)
    bars = make_bars(price, volume, "1", "0.0001")
    check_range(bars)
    told = f"a bar is worth up to {worth} USD: if that cannot be, its volume is in USD"
    assert vast(bars) == (told if worth else "")


def test_no_bars_overflow_nothing() -> None:
    bars = make_bars(1e300, 1.0, "1", "1")[:0]
    check_range(bars)
    assert vast(bars) == ""
    assert len(bars) == 0
