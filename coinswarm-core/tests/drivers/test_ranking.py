"""What a graph found is put in order by exact distances, whatever the width of the vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.drivers.graph import ranker


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_the_nearest_come_first_and_equal_ones_are_told(width: int, count: int, first: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((50, width))
    units = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    asked = units[0].copy()
    chosen = rng.choice(50, count, replace=bool(rng.integers(0, 2)))
    distances, rows = np.zeros(40), np.zeros(40, np.int64)
    tied = ranker()(units, (chosen + first).astype(np.uint64), first, asked, distances, rows)
    true = np.clip(1.0 - (units[rows[:count]].astype(np.float64) * asked).sum(axis=1), 0.0, 2.0)
    assert sorted(rows[:count]) == sorted(chosen)
    assert distances[:count] == pytest.approx(true, abs=1e-15)
    assert (np.diff(distances[:count]) >= 0).all()
    assert tied == bool((np.diff(distances[:count]) == 0).any())
    if len(set(chosen)) < count:
        assert tied
    assert not distances[count:].any(), "no more is written than was asked for"


def test_rounding_leaves_no_distance_out_of_bounds() -> None:
    unit = np.full(3, np.float32(3**-0.5 * 1.0000001), np.float32)
    distances, rows = np.zeros(2), np.zeros(2, np.int64)
    ranker()(np.stack([-unit, unit]), np.array([0, 1], np.uint64), 0, unit, distances, rows)
    assert distances.tolist() == [0.0, 2.0]
    assert rows.tolist() == [1, 0]
