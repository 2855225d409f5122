"""The day, the breaker and the stop guard, to the nanosecond (S17)."""

from __future__ import annotations

import pytest

from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.risk.limits import RiskLimits
from coinswarm.risk.protections import NEVER, Protections

OFF = {"daily_loss_bp": 0, "drawdown_bp": 0}


def protections(cash: int = 1_000, **limits: int) -> Protections:
    """Hourly protections with nothing on but what is named."""
    return Protections(RiskLimits(**{**OFF, **limits}), cash, HOUR_NS)  # type: ignore[arg-type]


def test_the_day_begins_with_the_equity_at_exactly_midnight() -> None:
    kept = protections(daily_loss_bp=500)
    kept.mark(23 * HOUR_NS, 1_100)
    assert kept.day_start == 1_000, "the first day starts with the cash"
    kept.mark(DAY_NS, 1_200)
    assert kept.day_start == 1_200
    kept.mark(DAY_NS + HOUR_NS, 1_150)
    assert kept.day_start == 1_200


@pytest.mark.parametrize(("now", "start"), [(DAY_NS - 1, 1_000), (DAY_NS, 900), (DAY_NS + 1, 950)])
def test_where_no_bar_closes_at_midnight_the_day_begins_with_the_last_mark_before(now: int, start: int) -> None:
    kept = protections(daily_loss_bp=500)
    kept.mark(22 * HOUR_NS, 950)
    kept.mark(now, 900)
    assert kept.day_start == start


def test_a_gap_of_days_begins_one_day_only() -> None:
    kept = protections(daily_loss_bp=500)
    kept.mark(HOUR_NS, 950)
    kept.mark(5 * DAY_NS + HOUR_NS, 900)
    assert kept.day_start == 950
    kept.mark(5 * DAY_NS + 2 * HOUR_NS, 800)
    assert kept.day_start == 950
    kept.mark(6 * DAY_NS, 700)
    assert kept.day_start == 700


def test_trades_are_counted_from_midnight() -> None:
    kept = protections(max_trades_per_day=2)
    kept.mark(HOUR_NS, 1_000)
    kept.entered()
    kept.entered()
    assert kept.trades_today == 2
    kept.mark(DAY_NS - 1, 1_000)
    assert kept.trades_today == 2
    kept.mark(DAY_NS, 1_000)
    assert kept.trades_today == 0
    kept.entered()
    kept.mark(DAY_NS + HOUR_NS, 1_000)
    assert kept.trades_today == 1


def test_the_loss_of_the_day_counts_from_midnight_or_over_24_hours_whichever_is_larger() -> None:
    kept = protections(daily_loss_bp=500)
    for hour, equity in ((23, 1_000), (24, 700), (25, 690)):
        kept.mark(hour * HOUR_NS, equity)
    assert kept.day_start == 700
    assert kept.day_loss(690) == 310, "over 24 h: from the cash at the start, 1,000"
    kept.mark(47 * HOUR_NS, 680)
    assert kept.day_loss(680) == 320, "the mark of hour 23 is exactly 24 h old"
    kept.mark(48 * HOUR_NS, 680)
    assert kept.day_loss(680) == 20, "the mark of hour 24 (700) is now the one 24 h ago"


def test_a_gain_is_no_loss() -> None:
    kept = protections(daily_loss_bp=500)
    kept.mark(HOUR_NS, 1_500)
    assert kept.day_loss(1_500) == 0


def test_the_loss_is_that_of_the_last_mark_however_often_it_is_asked_for() -> None:
    kept = protections(daily_loss_bp=500)
    kept.mark(DAY_NS, 1_000)
    kept.mark(DAY_NS + HOUR_NS, 900)
    assert [kept.day_loss(equity) for equity in (900, 880, 900, 1_000)] == [100, 120, 100, 0]


@pytest.mark.parametrize("asked", [False, True])
def test_marks_older_than_a_day_are_forgotten(*, asked: bool) -> None:
    kept = protections(daily_loss_bp=500)
    for hour in range(10 * 24):
        kept.mark(hour * HOUR_NS, 1_000 + hour)
        if asked:
            kept.day_loss(1_000)
        assert len(kept._marks) <= 24
    assert kept.day_loss(1_000) == 216, "from the mark at the last midnight"


def test_without_a_daily_limit_no_marks_are_kept() -> None:
    kept = protections(drawdown_bp=100)
    for hour in range(50):
        kept.mark(hour * HOUR_NS, 1_000)
    assert len(kept._marks) == 0


def test_marks_matter_only_to_limits_that_are_on() -> None:
    assert not protections().watching
    for name in ("drawdown_bp", "daily_loss_bp", "max_trades_per_day"):
        assert protections(**{name: 1}).watching


def test_the_breaker_opens_beyond_the_drawdown_and_stays_open() -> None:
    kept = protections(drawdown_bp=1_000)
    kept.mark(1 * HOUR_NS, 2_000)
    kept.mark(2 * HOUR_NS, 1_800)
    assert not kept.breaker_open(2 * HOUR_NS), "10 % exactly is not beyond"
    kept.mark(3 * HOUR_NS, 1_799)
    assert kept.breaker_open(3 * HOUR_NS)
    kept.mark(4 * HOUR_NS, 5_000)
    assert kept.breaker_open(4 * HOUR_NS)
    assert kept.breaker_open(NEVER - 1), "no pause: until the run ends"


def test_the_breaker_closes_after_its_pause_and_takes_a_new_high_water_mark() -> None:
    kept = protections(drawdown_bp=1_000, drawdown_pause_bars=2)
    kept.mark(1 * HOUR_NS, 899)
    assert kept.breaker_open(1 * HOUR_NS)
    kept.mark(2 * HOUR_NS, 850)
    assert kept.breaker_open(3 * HOUR_NS - 1)
    assert not kept.breaker_open(3 * HOUR_NS), "two bars after it opened"
    kept.mark(3 * HOUR_NS, 800)
    kept.mark(4 * HOUR_NS, 720)
    assert not kept.breaker_open(4 * HOUR_NS), "10 % below 800, the new high-water mark"
    kept.mark(5 * HOUR_NS, 719)
    assert kept.breaker_open(5 * HOUR_NS), "armed again"
    assert kept.breaker_open(7 * HOUR_NS - 1)
    assert not kept.breaker_open(7 * HOUR_NS)


def test_an_open_breaker_is_not_prolonged_by_further_losses() -> None:
    kept = protections(drawdown_bp=1_000, drawdown_pause_bars=3)
    for hour, equity in ((1, 899), (2, 700), (3, 600)):
        kept.mark(hour * HOUR_NS, equity)
    assert kept.breaker_open(4 * HOUR_NS - 1)
    assert not kept.breaker_open(4 * HOUR_NS)


def test_without_a_breaker_no_drawdown_opens_it() -> None:
    kept = protections()
    kept.mark(HOUR_NS, 1)
    assert not kept.breaker_open(HOUR_NS)


GUARD = {"stop_guard_count": 2, "stop_guard_bars": 3, "stop_guard_pause_bars": 4}


@pytest.mark.parametrize(("second", "on"), [(13 * HOUR_NS, True), (13 * HOUR_NS + 1, False)])
def test_the_guard_counts_stops_within_its_window_the_edge_included(second: int, *, on: bool) -> None:
    kept = protections(**GUARD)
    kept.stopped(10 * HOUR_NS)
    assert not kept.guard_on(10 * HOUR_NS)
    kept.stopped(second)
    assert kept.guard_on(second) is on


def test_the_guard_is_off_again_after_its_pause() -> None:
    kept = protections(**GUARD)
    kept.stopped(10 * HOUR_NS)
    kept.stopped(11 * HOUR_NS)
    assert kept.guard_on(15 * HOUR_NS - 1)
    assert not kept.guard_on(15 * HOUR_NS)


def test_each_further_stop_within_the_window_prolongs_the_guard() -> None:
    kept = protections(**GUARD)
    for hour in (10, 11, 13):
        kept.stopped(hour * HOUR_NS)
    assert kept.guard_on(17 * HOUR_NS - 1)
    assert not kept.guard_on(17 * HOUR_NS)


def test_a_stop_outside_the_window_is_forgotten() -> None:
    kept = protections(**{**GUARD, "stop_guard_count": 3})
    for hour in (1, 10, 11):
        kept.stopped(hour * HOUR_NS)
    assert not kept.guard_on(11 * HOUR_NS)
    kept.stopped(12 * HOUR_NS)
    assert kept.guard_on(12 * HOUR_NS)


def test_without_a_guard_stops_do_nothing() -> None:
    kept = protections()
    for _ in range(9):
        kept.stopped(HOUR_NS)
    assert not kept.guard_on(HOUR_NS)
