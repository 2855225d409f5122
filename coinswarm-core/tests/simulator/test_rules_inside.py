"""F6-F10: what the range of a bar does, through both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.order import EndReason, OrderKind
from coinswarm.execution.style import OrderStyle
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.tiny import BUY, SELL, Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.markets.tiny import Outcome

    Run = Callable[..., Outcome]

CALM = (100, 101, 99, 100)
LIMIT = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=50_000)
STOP = OrderStyle(entry=OrderKind.STOP, offset_ppm=50_000)


@pytest.mark.parametrize(("low", "filled"), [(96, []), (95, [(2, -10, 95)]), (90, [(2, -10, 95)])])
def test_f6_a_stop_triggers_at_a_touch(run: Run, low: int, filled: list[tuple[int, int, int]]) -> None:
    done = run(Leg([CALM, CALM, (100, 100, low, 98)], [(BUY, 5)]))
    assert done.filled()[1:] == filled


@pytest.mark.parametrize(("high", "filled"), [(104, []), (105, [(1, 10, 105)]), (120, [(1, 10, 105)])])
def test_f6_a_stop_entry_triggers_at_a_touch(run: Run, high: int, filled: list[tuple[int, int, int]]) -> None:
    assert run(Leg([CALM, (100, high, 99, 102)], [BUY]), style=STOP).filled() == filled


def test_f6_a_short_is_stopped_above(run: Run) -> None:
    assert run(Leg([CALM, CALM, (100, 106, 99, 100)], [(SELL, 5)])).filled() == [(1, -10, 100), (2, 10, 105)]


def test_f6_a_stop_born_in_the_bar_fills_no_better_than_its_entry(run: Run) -> None:
    dear = Costs(maker_ppm=0, taker_ppm=0, spread_ppm=200_000)
    done = run(Leg([CALM, (100, 105, 100, 100)], [(BUY, 3)]), costs=dear)
    assert [(fill.reference, fill.ticks) for fill in done.fills] == [(100, 110), (100, 90)], (
        "bought at 110, so the stop stands at 107, where the market never was: sold from 100"
    )


@pytest.mark.parametrize(("low", "filled"), [(95, []), (94, [(1, 10, 95)])])
def test_f7_touch_does_not_fill(run: Run, low: int, filled: list[tuple[int, int, int]]) -> None:
    assert run(Leg([CALM, (100, 101, low, 98)], [BUY]), style=LIMIT).filled() == filled


@pytest.mark.parametrize(("high", "filled"), [(110, []), (111, [(2, -10, 110)])])
def test_f7_a_target_touched_does_not_fill(run: Run, high: int, filled: list[tuple[int, int, int]]) -> None:
    assert run(Leg([CALM, CALM, (100, high, 99, 105)], [(BUY, 0, 10)])).filled()[1:] == filled


def test_f7_a_resting_limit_makes(run: Run) -> None:
    done = run(Leg([CALM, (100, 101, 90, 98)], [BUY]), style=LIMIT, costs=Costs(maker_ppm=1_000, taker_ppm=9_000))
    assert done.fills[0].fee == 950 * 10**8 // 1_000


def test_f8_when_one_bar_reaches_both_the_stop_fills(run: Run) -> None:
    done = run(Leg([CALM, CALM, (100, 120, 80, 110)], [(BUY, 5, 10)]))
    assert done.filled()[1:] == [(2, -10, 95)]
    assert [order.end_reason for order in done.orders] == [EndReason.FILLED, EndReason.FILLED, EndReason.OCO]


@pytest.mark.parametrize("beyond", [0, 20_000])
def test_f9_a_stop_limit_fills_at_its_trigger_only_inside_its_limit(run: Run, beyond: int) -> None:
    style = OrderStyle(entry=OrderKind.STOP_LIMIT, offset_ppm=50_000, limit_offset_ppm=beyond)
    done = run(Leg([CALM, (100, 106, 99, 105), (106, 107, 104, 105)], [BUY]), style=style)
    assert done.filled() == ([(1, 10, 105)] if beyond else [(2, 10, 105)])
    assert done.fills[0].reference == 105


def test_f9_triggered_it_waits_for_the_next_bar(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.STOP_LIMIT, offset_ppm=50_000)
    done = run(Leg([CALM, (100, 106, 90, 100), (106, 107, 105, 105)], [BUY]), style=style)
    assert done.fills == [], "in its own bar it does not come back to its limit; in the next one it is touched only"


def test_f10_a_stop_lives_from_the_bar_of_its_entry(run: Run) -> None:
    assert run(Leg([CALM, (100, 101, 94, 100)], [(BUY, 5)])).filled() == [(1, 10, 100), (1, -10, 95)]


def test_f10_a_target_of_an_entry_at_the_open_may_fill_in_its_bar(run: Run) -> None:
    assert run(Leg([CALM, (100, 111, 99, 100)], [(BUY, 5, 10)])).filled() == [(1, 10, 100), (1, -10, 110)]


def test_f10_a_target_of_an_entry_inside_waits_for_the_next_bar(run: Run) -> None:
    rows = [CALM, (100, 120, 94, 100), (100, 106, 100, 106)]
    assert run(Leg(rows, [(BUY, 50, 10)]), style=LIMIT).filled() == [(1, 10, 95), (2, -10, 105)]


def test_f10_a_stop_of_an_entry_inside_fills_in_its_bar(run: Run) -> None:
    rows = [CALM, (100, 120, 90, 100)]
    assert run(Leg(rows, [(BUY, 5, 10)]), style=LIMIT).filled() == [(1, 10, 95), (1, -10, 90)]
