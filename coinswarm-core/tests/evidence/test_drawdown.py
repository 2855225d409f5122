"""The deepest drawdown: where it lay, and that the day-wise statistic finds the same one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import HOUR_NS
from coinswarm.evidence.days import cut_days
from coinswarm.evidence.drawdown import deepest
from coinswarm.evidence.statistics import max_drawdown


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_known_answer() -> None:
    times = ints(0, 1, 2, 3, 4, 5) * HOUR_NS
    found = deepest(times, HOUR_NS, ints(120, 90, 120, 60, 119, 120), 100)
    assert found == (0.5, 3 * HOUR_NS, 4 * HOUR_NS, 6 * HOUR_NS)


def test_a_peak_at_the_start_and_no_recovery() -> None:
    assert deepest(ints(7, 8), 1, ints(80, 90), 100) == (0.2, 7, 8, 0)


def test_an_equity_that_never_falls_has_none() -> None:
    assert deepest(ints(0, 1), 1, ints(100, 101), 100) is None
    assert deepest(ints(), 1, ints(), 100) is None


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 10**12)), min_size=1, max_size=80))
def test_the_daywise_statistic_is_exact_over_all_marks(steps: list[tuple[int, int]]) -> None:
    times = np.cumsum(ints(*(s for s, _ in steps))) * HOUR_NS
    equity = ints(*(e for _, e in steps))
    days = cut_days(times, HOUR_NS, equity, np.zeros_like(equity), 10**6)
    found = deepest(times, HOUR_NS, equity, 10**6)
    measured = max_drawdown(days)(np.arange(len(days))[np.newaxis])[0]
    assert measured == pytest.approx(found.depth if found else 0.0, rel=1e-9, abs=1e-12)
