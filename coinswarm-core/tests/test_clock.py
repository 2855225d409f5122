"""Time in nanoseconds, and the two clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, SimulatedClock, SystemClock, iso, to_datetime, to_ns


def test_lengths() -> None:
    assert (SECOND_NS, MINUTE_NS, HOUR_NS, DAY_NS) == (10**9, 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9)


def test_known_moments() -> None:
    moment = datetime(2018, 1, 31, 23, 0, 0, 250_000, tzinfo=UTC)
    assert to_ns(moment) == 1_517_439_600_250_000_000
    assert to_datetime(1_517_439_600_250_000_999) == moment, "to the microsecond, rounded down"
    assert iso(1_517_439_600_250_000_000) == "2018-01-31T23:00:00Z"


def test_other_zones_are_converted_and_none_is_refused() -> None:
    assert to_ns(datetime(2018, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 1_514_764_800 * SECOND_NS
    with pytest.raises(ValueError, match="has no time zone"):
        to_ns(datetime(2018, 1, 1))  # noqa: DTZ001 - that is the point


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - given their zone below
def test_there_and_back_is_exact(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert to_datetime(to_ns(aware)) == aware


def test_simulated_time_moves_only_when_told_and_never_back() -> None:
    clock = SimulatedClock(5)
    assert clock.now_ns() == 5
    clock.advance_to(5)
    clock.advance_to(HOUR_NS)
    assert clock.now_ns() == HOUR_NS
    with pytest.raises(ValueError, match="cannot go back from 1970-01-01T01:00:00Z to 1970-01-01T00:59:59Z"):
        clock.advance_to(HOUR_NS - 1)
    assert clock.now_ns() == HOUR_NS
    assert SimulatedClock().now_ns() == 0


def test_the_system_clock_reads_wall_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 77)
    assert SystemClock().now_ns() == 77
