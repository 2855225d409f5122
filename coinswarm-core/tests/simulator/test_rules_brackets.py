"""B1-B4, T1-T2: brackets and trailing stops, through both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.order import EndReason, OrderFlags, OrderKind
from coinswarm.execution.style import OrderStyle
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.tiny import BUY, FLAT, SELL, Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.markets.tiny import Outcome

    Run = Callable[..., Outcome]

CALM = (100, 101, 99, 100)
WHOLE = Costs(maker_ppm=0, taker_ppm=0, participation_bp=10_000)
TRAILING = OrderStyle(trailing=True)


def test_b1_bracket_around_the_price_paid(run: Run) -> None:
    costs = Costs(maker_ppm=0, taker_ppm=0, spread_ppm=40_000)
    done = run(Leg([CALM, CALM], [(BUY, 5, 10)]), costs=costs)
    _, stop, target = done.orders
    assert (stop.kind, stop.side, stop.trigger, stop.lots, stop.parent) == (OrderKind.STOP, -1, 97, 10, 0)
    assert (target.kind, target.side, target.limit, target.lots, target.parent) == (OrderKind.LIMIT, -1, 112, 10, 0)
    assert stop.flags == target.flags == OrderFlags.REDUCE_ONLY | OrderFlags.PROTECTIVE | OrderFlags.OCO


def test_b1_of_a_short_stands_the_other_way(run: Run) -> None:
    done = run(Leg([CALM, CALM], [(SELL, 5, 10)]))
    assert [(order.side, order.trigger, order.limit) for order in done.orders[1:]] == [(1, 105, 0), (1, 0, 90)]


def test_b1_without_a_distance_there_is_no_order(run: Run) -> None:
    assert len(run(Leg([CALM, CALM], [BUY])).orders) == 1
    (_, only) = run(Leg([CALM, CALM], [(BUY, 5)])).orders
    assert only.flags == OrderFlags.REDUCE_ONLY | OrderFlags.PROTECTIVE
    assert len(run(Leg([CALM, CALM], [(SELL, 0, 200)])).orders) == 1, "a target below one tick is none"


def test_b1_a_stop_below_one_tick_stands_at_one(run: Run) -> None:
    assert run(Leg([CALM, CALM], [(BUY, 150)])).orders[1].trigger == 1


def test_b2_guards_follow_the_position(run: Run) -> None:
    rows = [CALM, (*CALM, 4), CALM, (100, 100, 90, 95)]
    done = run(Leg(rows, [(BUY, 5, 50)]), costs=WHOLE)
    assert done.filled() == [(1, 4, 100), (2, 6, 100), (3, -10, 95)]
    assert [order.lots for order in done.orders[1:]] == [10, 10]


def test_b2_distances_are_those_of_the_entry(run: Run) -> None:
    done = run(Leg([CALM, CALM, CALM], [(BUY, 5), (BUY, 50)]))
    assert [order.trigger for order in done.orders[1:]] == [95]


def test_b3_the_sibling_ends_with_the_one_that_filled(run: Run) -> None:
    done = run(Leg([CALM, CALM, (100, 120, 99, 110)], [(BUY, 5, 10)]))
    assert [order.end_reason for order in done.orders] == [EndReason.FILLED, EndReason.OCO, EndReason.FILLED]


def test_b3_guards_end_when_an_exit_closed_the_position(run: Run) -> None:
    done = run(Leg([CALM, CALM, CALM], [(BUY, 5, 10), FLAT]))
    assert [order.end_reason for order in done.orders] == [
        EndReason.FILLED, EndReason.POSITION_CLOSED, EndReason.POSITION_CLOSED, EndReason.FILLED,
    ]  # fmt: skip


def test_b3_a_working_entry_is_withdrawn_by_a_target(run: Run) -> None:
    rows = [CALM, (*CALM, 4), (100, 120, 100, 110, 4), CALM]
    costs = Costs(maker_ppm=0, taker_ppm=0, participation_bp=5_000)
    done = run(Leg(rows, [(BUY, 0, 10)]), costs=costs, style=OrderStyle(entry=OrderKind.LIMIT, offset_ppm=1))
    assert done.fills == [], "a limit of 99 that 99 touches does not fill"
    rows = [CALM, (100, 101, 98, 100, 4), (100, 120, 100, 110, 4), CALM]
    done = run(Leg(rows, [(BUY, 0, 10)]), costs=costs, style=OrderStyle(entry=OrderKind.LIMIT, offset_ppm=1))
    assert done.filled() == [(1, 2, 99), (2, -2, 109)]
    assert done.orders[0].end_reason == EndReason.WITHDRAWN


@pytest.mark.parametrize("opened", [94, 100])
def test_b4_a_stop_that_triggers_withdraws_its_entry(run: Run, opened: int) -> None:
    rows = [CALM, (*CALM, 4), (opened, opened, 94, 94, 2), (94, 94, 94, 94), CALM]
    done = run(Leg(rows, [(BUY, 5)]), costs=WHOLE)
    assert done.filled() == [(1, 4, 100), (2, 2, opened), (3, -6, 94)], "the rest of the entry is not bought"
    assert done.orders[0].end_reason == EndReason.WITHDRAWN


def test_b4_the_entry_is_withdrawn_although_the_stop_found_no_room(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=1)
    rows = [CALM, (100, 101, 98, 100, 4), (100, 100, 94, 94, 0), (100, 101, 94, 100, 1), (98, 99, 97, 98, 5)]
    done = run(Leg(rows, [(BUY, 5)]), costs=WHOLE, style=style)
    # Bar 3: the stop at 94 triggers first and takes the only lot; the limit of 99 is gone although 94 goes through it.
    assert done.filled() == [(1, 4, 99), (3, -1, 94), (4, -3, 98)]
    assert (done.orders[0].end_reason, done.orders[0].end_ns) == (EndReason.WITHDRAWN, done.result.times_ns[3])


def test_b4_a_triggered_stop_goes_on_at_the_next_open(run: Run) -> None:
    rows = [CALM, CALM, (100, 100, 90, 99, 4), (105, 106, 104, 105, 3), (107, 107, 107, 107)]
    done = run(Leg(rows, [(BUY, 5)]), costs=WHOLE)
    assert done.filled()[1:] == [(2, -4, 95), (3, -3, 105), (4, -3, 107)], "whatever the price by then"


def test_t1_a_trailing_stop_follows_the_high_and_never_falls_back(run: Run) -> None:
    rows = [CALM, (100, 104, 100, 104), (104, 120, 104, 118), (118, 119, 116, 117), (117, 118, 110, 112)]
    done = run(Leg(rows, [(BUY, 5)]), style=TRAILING)
    assert done.orders[1].kind == OrderKind.TRAILING_STOP
    assert done.filled() == [(1, 10, 100), (4, -10, 115)]


def test_t1_of_a_short_follows_the_low(run: Run) -> None:
    rows = [CALM, (100, 100, 90, 92), (92, 96, 91, 95)]
    done = run(Leg(rows, [(SELL, 5)]), style=TRAILING)
    assert done.filled() == [(1, -10, 100), (2, 10, 95)]


def test_t1_it_moves_after_the_mark_so_not_within_the_bar(run: Run) -> None:
    rows = [CALM, (100, 130, 98, 129)]
    done = run(Leg(rows, [(BUY, 5)]), style=TRAILING)
    assert done.filled() == [(1, 10, 100)]
    assert done.orders[1].trigger == 125


def test_t2_it_stands_still_without_volume(run: Run) -> None:
    rows = [CALM, CALM, (100, 150, 100, 100, 0)]
    assert run(Leg(rows, [(BUY, 5)]), style=TRAILING).orders[1].trigger == 96


@pytest.mark.parametrize("side", [BUY, SELL])
def test_t2_it_stands_still_once_it_went_off(run: Run, side: int) -> None:
    rows = [CALM, CALM, (100, 130, 70, 100, 4), (100, 140, 60, 100, 3), (100, 150, 50, 100)]
    done = run(Leg(rows, [(side, 5)]), style=TRAILING, costs=WHOLE)
    trigger = 100 - 4 * side
    assert done.filled()[1:] == [(2, -4 * side, trigger), (3, -3 * side, 100), (4, -3 * side, 100)]
    assert done.orders[1].trigger == trigger, "not where the bars that it waited through would have moved it"


def test_t2_it_stands_still_in_the_bar_of_an_entry_inside(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.STOP, offset_ppm=50_000, trailing=True)
    done = run(Leg([CALM, (104, 150, 104, 120), (120, 121, 119, 120)], [(BUY, 30)]), style=style)
    assert done.filled() == [(1, 10, 105)]
    assert done.orders[1].trigger == 121 - 30, "from the second bar, not from the high of 150"
