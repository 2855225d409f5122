"""Bars, their integers, and a market state from which nothing later can be reached (S6-S8, S10)."""

from __future__ import annotations

import gc
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import HOUR_NS
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars, MarketState, TickBars

BTC = Instrument("BTC/USD", Decimal("0.5"), Decimal("0.01"))


def bars(hours: list[int], first: float = 100.0) -> Bars:
    """Bars at the given hours; bar i opens at first + i."""
    n = len(hours)
    base = first + np.arange(n, dtype=np.float64)
    opens = np.array(hours, np.int64) * HOUR_NS
    return Bars(BTC, HOUR_NS, opens, base, base + 2, base - 2, base + 1, base / 10)


def test_columns_cannot_be_written_but_the_givers_array_can() -> None:
    given_close = np.ones(2)
    made = Bars(BTC, HOUR_NS, np.arange(2) * HOUR_NS, given_close, given_close, given_close, given_close, given_close)
    for name in ("open_ns", "open", "high", "low", "close", "volume"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(made, name)[0] = 7
    given_close[0] = 2.0
    assert made.close[0] == 2.0, "a view, not a copy"


def test_a_slice_holds_the_same_rows_of_every_column() -> None:
    whole = bars([0, 1, 2, 3])
    part = whole[1:3]
    assert len(part) == 2
    assert part.instrument is BTC
    assert part.length_ns == HOUR_NS
    for name in ("open_ns", "open", "high", "low", "close", "volume"):
        assert getattr(part, name).tolist() == getattr(whole, name)[1:3].tolist()
        assert np.shares_memory(getattr(part, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("hours", "hole", "age"),
    [
        ([], 3, []),
        ([0], 3, [1]),
        ([0, 1, 2], 3, [1, 2, 3]),
        ([0, 1, 4, 5], 3, [1, 2, 3, 4]),  # two bars missing: no hole
        ([0, 1, 5, 6], 3, [1, 2, 1, 2]),  # three missing: a hole
        ([0, 1, 3], 1, [1, 2, 1]),
        ([0, 9, 18, 19], 3, [1, 1, 1, 2]),
    ],
)
@pytest.mark.parametrize("warm_up", [1, 2, 3, 5])
def test_warm_up_counts_from_the_start_or_the_last_hole(
    hours: list[int], hole: int, age: list[int], warm_up: int
) -> None:
    assert bars(hours).warming(hole, warm_up).tolist() == [a < warm_up for a in age]


@given(st.lists(st.integers(1, 8), max_size=40), st.integers(1, 6), st.integers(1, 12))
def test_warm_up_is_what_counting_one_by_one_gives(steps: list[int], hole: int, warm_up: int) -> None:
    hours = np.cumsum([0, *steps]).tolist()
    plain, count = [], 0
    for i, hour in enumerate(hours):
        count = 1 if i and hour - hours[i - 1] - 1 >= hole else count + 1
        plain.append(count)
    assert bars(hours).warming(hole, warm_up).tolist() == [age < warm_up for age in plain]


def test_prices_become_ticks_half_to_even_and_volumes_whole_lots() -> None:
    column = np.array([100.25, 100.75, 101.0])  # 200.5, 201.5 and 202 ticks
    made = Bars(BTC, HOUR_NS, np.arange(3) * HOUR_NS, column, column, column, column, np.array([0.29, 0.019, 0.0]))
    ticks = TickBars.of(made)
    for name in ("open", "high", "low", "close"):
        assert getattr(ticks, name).tolist() == [200, 202, 202]
        assert getattr(ticks, name).dtype == np.int64
    assert ticks.volume.tolist() == [29, 1, 0]
    assert ticks.open_ns.tolist() == made.open_ns.tolist()
    assert not np.shares_memory(ticks.open_ns, made.open_ns)


def test_a_state_shows_its_bar_and_the_bars_so_far() -> None:
    whole = bars([0, 1, 2, 3])
    state = MarketState.at(whole, 2)
    assert (state.index, state.open_ns, state.time_ns) == (2, 2 * HOUR_NS, 3 * HOUR_NS)
    assert (state.open, state.high, state.low, state.close) == (102.0, 104.0, 100.0, 103.0)
    assert state.volume == pytest.approx(10.2)
    assert (state.instrument, state.length_ns) == (BTC, HOUR_NS)
    assert state.bars.close.tolist() == whole.close[:3].tolist()


def test_a_fresh_state_has_no_bar() -> None:
    state = MarketState(bars([0, 1]))
    assert state.index == -1
    assert len(state.bars) == 0
    assert np.isnan(state.close)


def reachable(start: object) -> list[np.ndarray[Any, Any]]:
    """Every array that can be reached from an object by its references."""
    found, seen, queue = [], set(), [start]
    while queue:
        one = queue.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            found.append(one)
        queue.extend(gc.get_referents(one))
    return found


def test_nothing_later_can_be_seen_from_a_state() -> None:
    whole = bars(list(range(6)))
    state = MarketState.at(whole, 2)
    public = {name: getattr(state, name) for name in dir(state) if not name.startswith("_") and name != "at"}
    assert set(public) == {
        "bars", "close", "high", "index", "instrument", "length_ns", "low", "open", "open_ns", "time_ns", "volume",
    }  # fmt: skip
    shown = public["bars"]
    assert len(shown) == 3
    for name in ("open_ns", "open", "high", "low", "close", "volume"):
        assert len(getattr(shown, name)) == 3
    assert len(shown[0:100]) == 3
    assert int(shown.open_ns[-1]) + HOUR_NS == state.time_ns
    assert all(len(array) <= 3 for array in reachable(shown) if array.base is None or len(array) < 6)


def test_a_state_keeps_no_more_than_its_past_even_in_private() -> None:
    state = MarketState.at(bars(list(range(6))), 2)
    assert len(state._bars) == 3
