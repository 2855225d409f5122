"""Faults, gaps and bar lengths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.errors import DataError
from coinswarm.feeds.quality import find_faults, find_gaps, infer_length, refuse

BAR = 60


def test_a_sound_table_has_no_faults() -> None:
    price = np.array([1.0, 2.0])
    assert find_faults(np.array([0, 60]), (price, price, price, price), np.zeros(2), BAR) == {}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"open": np.nan}, "not a finite number"),
        ({"volume": np.inf}, "not a finite number"),
        ({"low": 0.0}, "price not positive"),
        ({"high": 0.5}, "high below low"),
        ({"close": 4.0}, "open or close outside low to high"),
        ({"open": 0.9}, "open or close outside low to high"),
        ({"volume": -1.0}, "negative volume"),
        ({"stamp": 60}, "time repeated"),
        ({"stamp": 0}, "time earlier than the row before"),
        ({"stamp": 130}, "time off the 60ns grid"),
    ],
)
def test_each_fault_is_found_in_its_row(change: dict[str, float], fault: str) -> None:
    columns = {"open": 2.0, "high": 3.0, "low": 1.0, "close": 2.0, "volume": 1.0}
    table = {name: np.full(5, value) for name, value in columns.items()}
    table["stamp"] = np.arange(5) * BAR
    for name, value in change.items():
        table[name][2] = value
    faults = find_faults(
        table["stamp"].astype(np.int64),
        (table["open"], table["high"], table["low"], table["close"]),
        table["volume"],
        BAR,
    )
    assert fault in faults
    assert 2 in faults[fault]


def test_a_refusal_counts_and_names_the_first_rows() -> None:
    faults = {"high below low": np.arange(7), "negative volume": np.array([3])}
    with pytest.raises(
        DataError,
        match=r"high below low in 7 rows \(line 1, line 2, line 3, ...\); negative volume in 1 row \(line 4\): mend",
    ):
        refuse(faults, "x.csv", lambda row: f"x.csv, line {row + 1}", "mend")


@given(st.sets(st.integers(0, 500), min_size=2))
def test_rows_and_missing_rows_make_up_the_span(present: set[int]) -> None:
    open_ns = np.array(sorted(present), np.int64) * BAR
    gaps = find_gaps(open_ns, BAR)
    span = (open_ns[-1] - open_ns[0]) // BAR + 1
    assert len(open_ns) + sum(gap.missing for gap in gaps) == span
    assert all(gap.span_ns == (gap.missing + 1) * BAR for gap in gaps)


def test_the_length_is_the_most_common_step() -> None:
    assert infer_length(np.array([0, 60, 120, 600, 660]), "x") == BAR
    assert infer_length(np.array([660, 600, 540]), "x") == BAR
    assert infer_length(np.array([0, 0, 0, 60]), "x") == BAR


def test_a_single_row_has_no_length() -> None:
    with pytest.raises(DataError, match=r"single row.*pass --bar to coinswarm"):
        infer_length(np.array([0]), "x")
