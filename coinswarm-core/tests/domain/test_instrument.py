"""An instrument: what it refuses, and its crossings between numbers and integers (S10)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.instrument import MONEY, Instrument

BTC = Instrument("BTC/USD", Decimal("0.01"), Decimal("0.0001"), Decimal("10.5"))


@pytest.mark.parametrize("symbol", ["BTCUSD", "BTC/", "/USD", ""])
def test_a_symbol_is_base_and_quote(symbol: str) -> None:
    with pytest.raises(ValueError, match=r"is not BASE/QUOTE, as in 'BTC/USD'"):
        Instrument(symbol, Decimal(1), Decimal(1))


@pytest.mark.parametrize(
    ("tick", "lot", "least", "said"),
    [
        (0, 1, 0, "tick of A/B is 0, but must be positive"),
        (1, -1, 0, "lot of A/B is -1, but must be positive"),
        (1, 1, -1, "min_notional of A/B is -1, but must be at least 0"),
    ],
)
def test_steps_are_positive_and_the_smallest_notional_is_not_negative(
    tick: int, lot: int, least: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Instrument("A/B", Decimal(tick), Decimal(lot), Decimal(least))


def test_base_quote_and_smallest_notional() -> None:
    assert (BTC.base, BTC.quote) == ("BTC", "USD")
    assert BTC.min_notional_units == 1_050_000_000
    assert BTC.shortable is False


def test_one_lot_at_one_tick_is_an_exact_fraction_of_money() -> None:
    assert BTC.value_ratio == (100, 1)  # 0.01 * 0.0001 USD = 1e-6 USD = 100 units of 1e-8
    fine = Instrument("A/B", Decimal("0.00001"), Decimal("0.00000001"))
    assert fine.value_ratio == (1, 100_000)
    num, den = fine.value_ratio
    assert 12_345 * 10**8 * num // den == int(Decimal("0.12345") * MONEY)


@pytest.mark.parametrize(
    ("price", "ticks"),
    [
        (100.0, 10_000),
        (100.015, 10_002),  # the float lies just above the half
        (Decimal("100.005"), 10_000),  # half to even
        (Decimal("100.015"), 10_002),
        (Decimal("0.004"), 0),
    ],
)
def test_prices_round_half_to_even(price: float | Decimal, ticks: int) -> None:
    assert BTC.to_ticks(price) == ticks


def test_a_float_price_on_the_half_rounds_to_even() -> None:
    whole = Instrument("A/B", Decimal(1), Decimal(1))
    assert [whole.to_ticks(p) for p in (0.5, 1.5, 2.5, 3.5)] == [0, 2, 2, 4]


@pytest.mark.parametrize(
    ("quantity", "lots"),
    [
        (0.29, 2_900),
        (0.00029999, 2),
        (Decimal("0.00029999"), 2),
        (Decimal("0.0003"), 3),
        (0.0003, 3),
    ],
)
def test_quantities_round_down_but_not_by_float_noise(quantity: float | Decimal, lots: int) -> None:
    assert BTC.to_lots(quantity) == lots


@given(st.integers(1, 10**9), st.sampled_from(["0.1", "0.01", "0.00001", "0.25", "5"]))
def test_there_and_back_is_exact(count: int, step: str) -> None:
    one = Instrument("A/B", Decimal(step), Decimal(step))
    assert one.to_ticks(one.price(count)) == count
    assert one.to_lots(one.quantity(count)) == count
    assert one.to_ticks(float(one.price(count))) == count
