"""Days: which day a mark belongs to, idle days, and what a day keeps of its marks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.evidence.days import cut_days, day_of, sum_by_day

E8 = 10**8


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_a_mark_at_midnight_belongs_to_the_day_that_ends() -> None:
    assert day_of(ints(22, 23, 24) * HOUR_NS, HOUR_NS).tolist() == [0, 0, 1]
    assert day_of(ints(0, 1) * DAY_NS, DAY_NS).tolist() == [0, 1]


def test_days_known_answer_with_idle_days() -> None:
    """Marks on day 0 (twice) and day 3; days 1 and 2 had no bar."""
    times = ints(0, 1, 75) * HOUR_NS
    days = cut_days(times, HOUR_NS, ints(110, 99, 198) * E8, ints(0, 50, -99) * E8, 100 * E8)
    assert days.day.tolist() == [0, 1, 2, 3]
    assert (days.equity / E8).tolist() == [99, 99, 99, 198]
    assert days.growth.tolist() == [0.99, 1.0, 1.0, 2.0]
    assert days.returns == pytest.approx([-0.01, 0.0, 0.0, 1.0])
    assert (days.before / E8).tolist() == [100, 99, 99, 99]
    assert days.top == pytest.approx([1.1, 1.0, 1.0, 2.0])
    assert days.bottom == pytest.approx([0.99, 1.0, 1.0, 1.0])
    assert days.fall == pytest.approx([0.1, 0.0, 0.0, 0.0])
    assert days.marks.tolist() == [2, 0, 0, 1]
    assert days.exposed.tolist() == [1, 0, 0, 1]
    assert days.exposure == pytest.approx([50 / 99, 0, 0, 0.5])
    assert not days.ruined
    assert days.length == 76 / 24, "from the first open to the last close"


def test_no_bars_no_days() -> None:
    days = cut_days(ints(), HOUR_NS, ints(), ints(), 5)
    assert len(days) == 0
    assert len(sum_by_day(ints(), HOUR_NS, np.zeros(0), days)) == 0
    assert (days.start, days.length) == (5.0, 0.0)


@pytest.mark.parametrize("equity", [(100, -5, 7), (100, 0, 7), (100, 50, 0)])
def test_ruin_is_told_and_leaves_finite_numbers(equity: tuple[int, ...]) -> None:
    days = cut_days(ints(0, 24, 48) * HOUR_NS, HOUR_NS, ints(*equity), ints(1, 1, 1), 100)
    assert days.ruined
    for name in ("growth", "top", "bottom", "fall", "exposure"):
        assert np.isfinite(getattr(days, name)).all()


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 times, 1 equities and 2 exposures"):
        cut_days(ints(0, 1), HOUR_NS, ints(1), ints(1, 1), 1)


def test_sums_by_day_leave_out_what_lies_outside() -> None:
    days = cut_days(ints(24, 60) * HOUR_NS, HOUR_NS, ints(1, 1), ints(0, 0), 1)
    sums = sum_by_day(ints(0, 24, 25, 60, 200) * HOUR_NS, HOUR_NS, np.array([1.0, 2.0, 4.0, 8.0, 16.0]), days)
    assert sums.tolist() == [6.0, 8.0]


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 10**13)), min_size=1, max_size=60))
def test_growth_multiplies_to_the_whole_return(steps: list[tuple[int, int]]) -> None:
    times = np.cumsum(ints(*(s for s, _ in steps))) * HOUR_NS
    equity = ints(*(e for _, e in steps))
    days = cut_days(times, HOUR_NS, equity, np.zeros_like(equity), 10**6)
    assert days.growth.prod() == pytest.approx(equity[-1] / 10**6, rel=1e-9)
    assert days.marks.sum() == len(steps)
    assert (days.top >= days.growth).all()
    assert (days.bottom <= days.growth).all()
    assert (np.diff(days.day) == 1).all()
