"""Stances, attribution and months behind the report."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.backtest.report.contribution import split
from coinswarm.backtest.report.grid import changes
from coinswarm.backtest.report.markup import embedded_json, tag, text
from coinswarm.backtest.report.monthly import monthly_returns
from coinswarm.backtest.report.sections import percent_or_idle
from coinswarm.backtest.report.stances import correlation, stance
from coinswarm.clock import DAY_NS
from coinswarm.committee.columns import stances
from coinswarm.domain.action import ActionColumns
from coinswarm.evidence.days import cut_days

rows = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([-1, 0, 1, 2]), st.integers(0, 10_000)),
        st.sampled_from([(0, -1), (3, -1)]),  # abstains; masked by core
    ),
    min_size=1,
    max_size=40,
)


@given(rows, st.booleans())
def test_a_stance_is_what_the_committee_takes_it_for(given_rows: list[tuple[int, int]], shortable: bool) -> None:  # noqa: FBT001
    n = len(given_rows)
    columns = ActionColumns(
        np.array([d for d, _ in given_rows], np.int8),
        np.array([q for _, q in given_rows], np.int16),
        np.zeros(n, np.uint8),
        np.zeros(n, np.int32),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
    )
    held, sure = stances([columns], shortable=shortable)
    target, present = stance(columns, shortable=shortable)
    assert present.tolist() == (sure[0] >= 0).tolist()
    assert target[present].tolist() == (held[0].astype(int) * sure[0])[present].tolist()


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10_000), min_size=1, max_size=8), st.integers(0, 255))
def test_shares_sum_to_the_whole(amount: int, weights: list[int], agree: int) -> None:
    parts = split(amount, weights, agree)
    shares = [w if agree >> seat & 1 else 0 for seat, w in enumerate(weights)]
    assert sum(parts) == (amount if sum(shares) else 0)
    for part, share in zip(parts, shares, strict=True):
        assert part == 0 if not share else abs(part - amount * share / sum(shares)) <= len(weights) + 1


def test_correlation_of_what_never_moves_is_not_defined() -> None:
    everywhere = np.ones(4, np.bool_)
    one, two, flat = np.array([1, 2, 3, 4]), np.array([4, 3, 2, 1]), np.zeros(4)
    found = correlation([(one, everywhere), (two, everywhere), (flat, everywhere)])
    assert found[0][1] == pytest.approx(-1)
    assert found[0][0] == pytest.approx(1)
    assert found[0][2] is None
    assert correlation([(one, everywhere), (two, ~everywhere)])[0][1] is None


def test_months_hold_the_growth_of_their_days() -> None:
    start = int(np.datetime64("2019-12-30", "ns").astype(np.int64))
    times = start + np.arange(4) * DAY_NS
    equity = np.array([110, 121, 60, 120])
    found = monthly_returns(cut_days(times, DAY_NS, equity, equity * 0, 100))
    assert found == {
        2019: {0: pytest.approx(0.21), 12: pytest.approx(0.21)},
        2020: {0: pytest.approx(-1 / 121), 1: pytest.approx(-1 / 121)},
    }
    assert monthly_returns(cut_days(times, DAY_NS, equity - 60, equity * 0, 100)) == {}


def test_a_month_without_any_change_reads_as_idle_and_one_that_rounds_to_nothing_does_not() -> None:
    times = int(np.datetime64("2020-01-01", "ns").astype(np.int64)) + np.arange(70) * DAY_NS
    equity = np.where(np.arange(70) < 40, 10_000, 10_001)
    [year] = monthly_returns(cut_days(times, DAY_NS, equity, equity * 0, 10_000)).values()
    assert [percent_or_idle(year[month]) for month in (1, 2, 3)] == ["idle", "+0.0", "idle"]
    assert percent_or_idle(-0.1) == "-10.0"


@given(st.lists(st.integers(0, 2), max_size=30))
def test_changes_can_be_spread_again(values: list[int]) -> None:
    again: list[int] = []
    found = changes(np.array(values, np.int64))
    for place, (first, value) in enumerate(found):
        end = found[place + 1][0] if place + 1 < len(found) else len(values)
        again += [value] * (end - first)
    assert again == values


@given(st.text())
def test_no_text_leaves_its_element(value: str) -> None:
    assert not {"<", '"'} & {*str(text(value))}
    assert "<" not in embedded_json({"x": value})
    assert tag("p", value, title=value).count("<") == 2
