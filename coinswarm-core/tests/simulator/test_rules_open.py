"""F1-F5: what fills at the open, through both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.order import EndReason, OrderKind, TimeInForce
from coinswarm.execution.style import OrderStyle
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.tiny import BUY, FLAT, SELL, Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.markets.tiny import Outcome

    Run = Callable[..., Outcome]

CALM = (100, 101, 99, 100)
RATES = Costs(maker_ppm=1_000, taker_ppm=2_000)
LIMIT = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=50_000)
"""Five ticks below (above) a close of 100."""
STOP_LIMIT = OrderStyle(entry=OrderKind.STOP_LIMIT, offset_ppm=50_000, limit_offset_ppm=20_000)
"""Trigger at 105, limit at 107."""
MAKER, TAKER = 1_000, 2_000


def rate(done: Outcome, fill: int = 0) -> int:
    """Fee rate of a fill in millionths."""
    one = done.fills[fill]
    return round(one.fee * 1_000_000 / (one.lots * one.ticks * 10**8))


def test_f1_a_market_order_fills_at_the_open(run: Run) -> None:
    done = run(Leg([CALM, (103, 110, 90, 91)], [BUY]), costs=RATES)
    assert (done.filled(), rate(done)) == ([(1, 10, 103)], TAKER)


@pytest.mark.parametrize(("opened", "paid"), [(80, 80), (95, 95), (96, 95)])
def test_f2_a_gap_through_a_stop_is_paid_in_full(run: Run, opened: int, paid: int) -> None:
    done = run(Leg([CALM, CALM, (opened, opened, 70, 75)], [(BUY, 5)]))
    assert done.filled()[1:] == [(2, -10, paid)]


def test_f2_a_stop_entry_gapped_through_fills_at_the_open(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.STOP, offset_ppm=50_000)
    assert run(Leg([CALM, (110, 111, 109, 110)], [BUY]), style=style).filled() == [(1, 10, 110)]
    assert run(Leg([CALM, (90, 91, 89, 90)], [SELL]), style=style).filled() == [(1, -10, 90)]


def test_f3_a_limit_gapped_through_on_arrival_takes(run: Run) -> None:
    done = run(Leg([CALM, (90, 91, 89, 90)], [BUY]), costs=RATES, style=LIMIT)
    assert (done.filled(), rate(done)) == ([(1, 10, 90)], TAKER)


def test_f3_a_resting_limit_gapped_through_makes(run: Run) -> None:
    done = run(Leg([CALM, CALM, (90, 91, 89, 90)], [BUY]), costs=RATES, style=LIMIT)
    assert (done.filled(), rate(done)) == ([(2, 10, 90)], MAKER)


def test_f3_a_limit_at_the_open_exactly_does_not_fill_there(run: Run) -> None:
    assert run(Leg([CALM, (95, 96, 95, 96)], [BUY]), style=LIMIT).fills == []


def test_f3_a_target_gapped_through_fills_at_the_open(run: Run) -> None:
    done = run(Leg([CALM, CALM, CALM, (130, 131, 129, 130)], [(BUY, 0, 10)]), costs=RATES)
    assert (done.filled()[1:], rate(done, 1)) == ([(3, -10, 130)], MAKER)


@pytest.mark.parametrize(("opened", "filled"), [(105, [(1, 10, 105)]), (106, [(1, 10, 106)]), (107, []), (109, [])])
def test_f4_a_stop_limit_reached_by_the_open(run: Run, opened: int, filled: list[tuple[int, int, int]]) -> None:
    done = run(Leg([CALM, (opened, opened + 1, opened, opened)], [BUY]), costs=RATES, style=STOP_LIMIT)
    assert done.filled() == filled
    assert not filled or rate(done) == TAKER


def test_f4_triggered_at_the_open_and_too_dear_it_works_as_a_limit(run: Run) -> None:
    done = run(Leg([CALM, (109, 110, 106, 109)], [BUY]), costs=RATES, style=STOP_LIMIT)
    assert (done.filled(), rate(done)) == ([(1, 10, 107)], MAKER)


def test_f5_ioc_leaves_after_the_first_open(run: Run) -> None:
    style = OrderStyle(tif=TimeInForce.IOC)
    done = run(
        Leg([CALM, (*CALM, 4), CALM], [BUY]),
        style=style,
        costs=Costs(maker_ppm=0, taker_ppm=0, participation_bp=10_000),
    )
    assert done.filled() == [(1, 4, 100)]
    assert done.orders[0].end_reason == EndReason.IOC_REST


def test_f5_ioc_waits_for_a_bar_with_volume(run: Run) -> None:
    done = run(Leg([CALM, (*CALM, 0), CALM], [BUY]), style=OrderStyle(tif=TimeInForce.IOC))
    assert done.filled() == [(2, 10, 100)]


def test_f5_a_limit_that_is_ioc_does_not_rest(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=50_000, tif=TimeInForce.IOC)
    done = run(Leg([CALM, (100, 101, 90, 95)], [BUY]), style=style)
    assert (done.fills, done.orders[0].end_reason) == ([], EndReason.IOC_REST)


def test_f5_fok_fills_all_or_nothing(run: Run) -> None:
    style, half = OrderStyle(tif=TimeInForce.FOK), Costs(maker_ppm=0, taker_ppm=0, participation_bp=5_000)
    killed = run(Leg([CALM, (*CALM, 19), CALM], [BUY]), style=style, costs=half)
    assert (killed.fills, killed.orders[0].end_reason) == ([], EndReason.FOK_KILLED)
    whole = run(Leg([CALM, (*CALM, 20), CALM], [BUY]), style=style, costs=half)
    assert (whole.filled(), whole.orders[0].end_reason) == ([(1, 10, 100)], EndReason.FILLED)


def test_f5_a_withdrawn_side_leaves_nothing_to_fill(run: Run) -> None:
    done = run(Leg([CALM, (*CALM, 0), CALM], [BUY, FLAT]), style=OrderStyle(tif=TimeInForce.FOK))
    assert (done.fills, done.orders[0].end_reason) == ([], EndReason.WITHDRAWN)
