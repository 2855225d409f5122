"""Days of trades, folds, scaling and draws: whole numbers, and the same whatever the order they are told in."""

from __future__ import annotations

import math
from statistics import stdev
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coinswarm.domain.acceptance import DailyReturns, TrialReturns
from coinswarm.domain.proposal import Reference
from coinswarm.memory.promotion.paths import (
    DAY_NS,
    daily,
    draws,
    folded,
    paced,
    portfolio,
    scaled,
    together,
    yardsticks,
)
from coinswarm_testkit.cases.case import closed

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode

results = st.lists(st.integers(-500_000, 500_000), min_size=1, max_size=40)


@given(results, st.randoms())
def test_days_of_trades_hold_all_results_whatever_their_order(told: list[int], chance: object) -> None:
    trades: list[Episode] = list(closed(told))
    days = daily(trades)
    assert days == told, "a trade a day"
    chance.shuffle(trades)  # type: ignore[attr-defined]
    assert daily(trades) == days
    assert sum(daily(trades[::2])) == sum(one.result_ppm for one in trades[::2])


def test_idle_days_count_and_no_trades_are_no_days() -> None:
    first, *_, last = closed(range(1, 11))
    assert daily([first, last]) == [1, *[0] * 8, 10]
    assert daily([]) == []


def test_a_result_belongs_to_the_day_on_which_it_was_known() -> None:
    [one] = closed([7])
    late = type(one)(**{name: getattr(one, name) for name in type(one).__slots__} | {"known_ns": one.known_ns + DAY_NS})
    assert daily([late]) == [0, 7]


def row(agent: str, first: int, returns: tuple[int, ...]) -> DailyReturns:
    return DailyReturns(
        agent=agent, source=Reference(f"returns/{agent}", "ab" * 32), first_day=first, returns_ppm=returns
    )


def test_a_portfolio_is_the_weighted_sum_of_its_days() -> None:
    rows = {"a": row("a", 5, (1, 2, 3)), "b": row("b", 6, (10, 20))}
    assert portfolio({"a": 4_000, "b": 6_000}, rows, 6, 8) == [4_000 * 2 + 6_000 * 10, 4_000 * 3 + 6_000 * 20]
    assert portfolio({"a": 0}, rows, 6, 8) == [0, 0]


@pytest.mark.parametrize(
    ("spans", "shared"),
    [([(3, 5)], (3, 8)), ([(3, 5), (5, 9)], (5, 8)), ([(3, 2), (9, 2)], (9, 9)), ([], (0, 0))],
)
def test_trials_are_compared_on_the_days_that_all_have(spans: list[tuple[int, int]], shared: tuple[int, int]) -> None:
    trials = [
        TrialReturns(
            variant=f"v{place}", source=Reference(f"trials/p/v{place}", "ab" * 32), first_day=first,
            returns_ppm=tuple(range(first, first + count)),
        )
        for place, (first, count) in enumerate(spans)
    ]  # fmt: skip
    assert [list(one) for one in together(trials)] == [list(range(*shared)) for _ in spans]


@given(st.lists(st.integers(-9, 9), max_size=60), st.integers(2, 7), st.integers(0, 3), st.integers(0, 99))
def test_folds_are_equal_and_the_oldest_days_are_left_over(days: list[int], folds: int, purge: int, cost: int) -> None:
    length = len(days) // folds
    found = folded(days, folds, purge, cost)
    assert {len(fold) for fold in found} <= {max(length - purge, 0)}
    if length > purge:
        assert len(found) == folds
        whole = folded(days, folds, 0, 0)
        assert [one for fold in whole for one in fold] == days[len(days) - folds * length :]
        for fold, uncut in zip(found, whole, strict=True):
            assert [fold[0] + cost, *fold[1:]] == uncut[purge:]


@given(st.lists(st.integers(-300_000, 300_000), min_size=5, max_size=60), st.integers(1_000, 1_000_000))
def test_returns_are_scaled_to_the_volatility(days: list[int], volatility: int) -> None:
    assume(stdev(days) > 1_000)
    found = scaled(days, volatility)
    assert min(found) > -1_000_000
    if min(found) > -999_999:
        assert stdev(found) * math.sqrt(365) == pytest.approx(volatility, rel=0.02, abs=30)


def test_what_does_not_vary_is_not_scaled() -> None:
    assert scaled([-2_000_000] * 3, 60_000) == [-999_999] * 3
    assert scaled([5], 60_000) == [5]


@given(
    st.lists(st.integers(-300_000, 300_000), min_size=20, max_size=50), st.lists(st.integers(-900_000, 0), max_size=5)
)
def test_what_comes_later_paces_no_earlier_day(days: list[int], later: list[int]) -> None:
    assume(len(set(days)) > 1)
    found = paced([*days, *later], 60_000)
    assert found[: len(days)] == paced(days, 60_000)
    before = days
    for one, told in zip(later, found[len(days) :], strict=True):  # as if the days before it had been scaled, with it
        spread = stdev(before)
        assert told == pytest.approx(max(one * 60_000 / math.sqrt(365) / spread, -999_999), rel=1e-3, abs=2)
        before = [*before, one]


def test_the_first_days_are_measured_together_until_they_vary() -> None:
    assert yardsticks([0] * 40) == []
    assert yardsticks([0, 1] * 11) == [20] * 21 + [21]
    assert yardsticks([0] * 30 + [1, 2]) == [31] * 32


@given(st.integers(0, 2**256), st.integers(1, 400), st.integers(1, 60))
def test_draws_are_those_of_their_seed(seed: int, count: int, block: int) -> None:
    found = list(draws(seed, count, block, 3))
    assert found == list(draws(seed, count, block, 3))
    assert all(0 <= one < count for year in found for one in year)
    assert {len(year) for year in found} == {math.ceil(365 / block)}


def test_the_stream_of_chance_is_the_one_that_python_keeps() -> None:
    """Fixed here: another stream on another machine would be another ballot."""
    assert list(draws(2026, 1_000, 100, 1)) == [[119, 502, 511, 860]]
