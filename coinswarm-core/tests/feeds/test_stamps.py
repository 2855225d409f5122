"""Epoch units by magnitude, and ISO dates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import iso
from coinswarm.errors import DataError
from coinswarm.feeds.stamps import UNITS, epoch_to_ns, epoch_unit, iso_to_ns, short_of_end


def where(row: int) -> str:
    return f"x.csv, line {row + 2}"


@given(st.integers(1_000_000_000, 6_999_999_999), st.sampled_from(sorted(UNITS)))
def test_every_unit_gives_the_same_moment(second: int, unit: str) -> None:
    stamps = np.array([second * (1_000_000_000 // UNITS[unit])], np.int64)
    stamp_ns, found = epoch_to_ns(stamps, where)
    assert (stamp_ns.tolist(), found) == ([second * 1_000_000_000], unit)


def test_fractions_of_a_second_are_kept() -> None:
    stamp_ns, unit = epoch_to_ns(np.array([1_514_764_800.5, 1_514_764_801.25]), where)
    assert (stamp_ns.tolist(), unit) == ([1_514_764_800_500_000_000, 1_514_764_801_250_000_000], "s")


@pytest.mark.parametrize("stamp", [-1, 0, 1234, 43_101.5, float("nan"), 1e300])
def test_a_number_that_is_no_time_in_any_unit(stamp: float) -> None:
    assert epoch_unit(stamp) is None
    with pytest.raises(DataError, match=r"line 2: .* is not an epoch time"):
        epoch_to_ns(np.array([stamp]), where)


def test_a_change_of_unit_is_refused_with_its_line() -> None:
    with pytest.raises(DataError, match=r"line 4: time 1514772000000 is not in s"):
        epoch_to_ns(np.array([1_514_764_800, 1_514_768_400, 1_514_772_000_000], np.int64), where)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-01-31", "2018-01-31T00:00:00Z"),
        ("2018-01-31 23:00:00", "2018-01-31T23:00:00Z"),
        ("2018-01-31T23:00:00Z", "2018-01-31T23:00:00Z"),
        ("2018-01-31T23:00:00.000+01:00", "2018-01-31T22:00:00Z"),
        (" 2018-01-31 23:00 UTC ", "2018-01-31T23:00:00Z"),
    ],
)
def test_iso_dates_without_a_zone_are_utc(text: str, moment: str) -> None:
    assert iso(int(iso_to_ns([text], where)[0])) == moment


@pytest.mark.parametrize("text", ["31.01.2018", "01/02/2018", "yesterday", ""])
def test_a_date_that_could_mean_two_days_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"line 3: .* is not an ISO 8601 date"):
        iso_to_ns(["2018-01-31", text], where)


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00:00+05:00", "9999-12-31", "2262-04-12"])
def test_a_date_that_nanoseconds_cannot_count_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(DataError, match=r"line 3: '.*' is too far away .*: write a year from 1678 to 2261"):
        iso_to_ns(["2018-01-31", text], where)


@pytest.mark.parametrize(
    ("moment", "length_s", "short"),
    [
        ("2018-01-31T01:00:00", 3_600, 0),
        ("2018-01-31T00:59:59.999", 3_600, 10**6),
        ("2018-01-31T00:59:59", 3_600, 10**9),
        ("2018-01-31T16:59:59.999999", 86_400, 10**3),
        ("2018-01-31T00:59:58", 3_600, 0),
        ("2018-01-31T00:00:04.999", 5, 10**6),
        ("2018-01-31T00:00:04", 5, 0),
        ("2018-01-31T00:00:04.999", 0.25, 0),
    ],
)
def test_a_close_may_be_the_last_unit_of_its_bar(moment: str, length_s: float, short: int) -> None:
    assert short_of_end(int(iso_to_ns([moment], where)[0]), int(length_s * 10**9)) == short
