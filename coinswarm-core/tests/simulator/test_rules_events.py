"""E1-E7: the order of events, through both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import EndReason, OrderKind, TimeInForce
from coinswarm.execution.style import OrderStyle
from coinswarm_testkit.markets.tiny import BUY, FLAT, HOUR_NS, MIDNIGHT_NS, SELL, Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.markets.tiny import Outcome

    Run = Callable[..., Outcome]

CALM = (100, 101, 99, 100)


def test_e1_a_day_order_ends_at_midnight_before_the_bar_opens(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=100_000, tif=TimeInForce.DAY)
    low = (80, 101, 80, 100)
    done = run(Leg([CALM, CALM, CALM, low], [BUY]), begin=21, style=style)
    (order,) = done.orders
    assert (order.end_reason, order.end_ns) == (EndReason.EXPIRED, MIDNIGHT_NS + 24 * HOUR_NS)
    assert done.fills == []


def test_e1_a_gtd_order_ends_after_its_bars(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=100_000, tif=TimeInForce.GTD, ttl_bars=2)
    low = (80, 101, 80, 100)
    done = run(Leg([CALM, CALM, CALM, low], [BUY]), style=style)
    assert (done.orders[0].end_reason, done.orders[0].end_ns) == (EndReason.EXPIRED, MIDNIGHT_NS + 3 * HOUR_NS)
    late = run(Leg([CALM, CALM, low], [BUY]), style=style)
    assert late.filled() == [(2, 10, 80)]


def test_e1_an_order_may_expire_after_the_last_bar(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=100_000, tif=TimeInForce.GTD, ttl_bars=1)
    done = run(Leg([CALM, CALM], [BUY]), style=style)
    assert done.orders[0].end_reason == EndReason.EXPIRED


def test_e2_longs_pay_a_positive_rate_on_the_last_close(run: Run) -> None:
    rows = [CALM, (100, 120, 100, 120), (130, 140, 130, 140)]
    done = run(Leg(rows, [BUY], funding=[(2, 10_000_000)]))
    assert done.result.costs["funding"] == 12 * MONEY, "1 % of 10 lots at the close of 120, not at the open of 130"
    assert done.equity()[-1] == 1_000_000 + 400 - 12


def test_e2_shorts_receive_it_and_a_negative_rate_turns_it(run: Run) -> None:
    rows = [CALM] * 4
    done = run(Leg(rows, [SELL], funding=[(2, 10_000_000), (3, -20_000_000)]))
    assert done.result.costs["funding"] == (-10 + 20) * MONEY


def test_e2_funding_due_while_bars_are_missing_is_paid_at_the_next(run: Run) -> None:
    done = run(Leg([CALM, CALM, None, CALM], [BUY], funding=[(2, 10_000_000)]))
    assert done.equity() == [1_000_000, 1_000_000, 1_000_000 - 10]


def test_e3_orders_meet_the_open_in_sequence(run: Run) -> None:
    done = run(Leg([CALM, CALM, CALM], [BUY, SELL]))
    assert done.filled() == [(1, 10, 100), (2, -10, 100), (2, -10, 100)]
    assert [done.orders[fill.order].reduce_only for fill in done.fills] == [False, True, False]


def test_e4_inside_the_bar_comes_after_all_opens(run: Run) -> None:
    stopped = Leg([CALM, CALM, (100, 100, 90, 95)], [(BUY, 5)])
    opening = Leg([CALM, CALM, CALM], [FLAT, BUY])
    done = run(stopped, opening)
    assert [(done.orders[fill.order].instrument, fill.ticks) for fill in done.fills] == [(0, 100), (1, 100), (0, 95)]


def test_e5_an_absent_bar_keeps_the_last_close(run: Run) -> None:
    absent = Leg([CALM, (100, 110, 100, 110), None, (90, 90, 90, 90)], [BUY])
    present = Leg([CALM, CALM, (200, 200, 200, 200), (200, 200, 200, 200)], [FLAT])
    done = run(absent, present)
    assert done.equity() == [1_000_000, 1_000_100, 1_000_100, 999_900]
    assert done.result.exposure_units.tolist() == [0, 1_100 * MONEY, 1_100 * MONEY, 900 * MONEY]


def test_e6_a_decision_works_from_the_next_bar(run: Run) -> None:
    done = run(Leg([CALM, (150, 160, 140, 150), (1, 200, 1, 100)], [BUY]))
    assert done.filled() == [(1, 10, 150)]
    assert done.orders[0].decided_ns == MIDNIGHT_NS + HOUR_NS


def test_e7_a_bar_without_volume_fills_and_triggers_nothing(run: Run) -> None:
    rows = [CALM, (100, 100, 100, 100, 0), CALM, (50, 50, 50, 50, 0), CALM]
    done = run(Leg(rows, [(BUY, 5)]))
    assert done.filled() == [(2, 10, 100)], "bought with the first volume; not stopped at 50, where nobody traded"


def test_e7_a_missing_bar_fills_nothing(run: Run) -> None:
    assert run(Leg([CALM, None, (105, 106, 104, 105)], [BUY])).filled() == [(1 + 1, 10, 105)]
