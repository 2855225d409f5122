"""P1-P4, Q1-Q5: price, fee, quantity, cash, through both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import EndReason, OrderKind, TimeInForce
from coinswarm.execution.style import OrderStyle
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.tiny import BUY, FLAT, SELL, Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.markets.tiny import Outcome

    Run = Callable[..., Outcome]

CALM = (100, 101, 99, 100)
WHOLE = Costs(maker_ppm=0, taker_ppm=0, participation_bp=10_000)
"""A bar's whole volume may be had."""


@pytest.mark.parametrize(
    ("side", "spread", "slippage", "paid"),
    [(BUY, 20_000, 0, 101), (SELL, 20_000, 0, 99), (BUY, 1, 0, 101), (BUY, 20_000, 15_000, 103), (SELL, 0, 15_000, 98)],
)
def test_p1_a_taker_pays_half_the_spread_and_slippage_rounded_up(
    run: Run, side: int, spread: int, slippage: int, paid: int
) -> None:
    costs = Costs(maker_ppm=0, taker_ppm=0, spread_ppm=spread, slippage_ppm=slippage)
    done = run(Leg([CALM, (100, 100, 100, 100)], [side]), costs=costs)
    assert (done.fills[0].reference, done.fills[0].ticks) == (100, paid), "the price may lie outside the bar"
    assert done.result.costs["adverse"] == abs(paid - 100) * 10 * MONEY


def test_p1_at_least_one_tick_remains(run: Run) -> None:
    costs = Costs(maker_ppm=0, taker_ppm=0, slippage_ppm=900_000)
    assert run(Leg([(2, 2, 2, 2)] * 2, [SELL]), costs=costs).filled() == [(1, -10, 1)]


def test_p2_a_limit_is_never_worse_than_its_limit(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=50_000)
    costs = Costs(maker_ppm=0, taker_ppm=0, spread_ppm=200_000)
    done = run(Leg([CALM, (93, 94, 92, 93)], [BUY]), style=style, costs=costs)
    assert (done.fills[0].reference, done.fills[0].ticks) == (93, 95)


def test_p2_a_maker_gets_the_reference_price(run: Run) -> None:
    style = OrderStyle(entry=OrderKind.LIMIT, offset_ppm=50_000)
    costs = Costs(maker_ppm=0, taker_ppm=0, spread_ppm=200_000)
    assert run(Leg([CALM, (100, 101, 90, 93)], [BUY]), style=style, costs=costs).filled() == [(1, 10, 95)]


def test_p3_fees_round_up(run: Run) -> None:
    done = run(Leg([CALM, (3, 3, 3, 3)], [BUY], lots=1), costs=Costs(maker_ppm=0, taker_ppm=1))
    assert done.fills[0].fee == 300
    assert done.equity()[-1] == 1_000_000 - 300 / MONEY
    odd = run(Leg([CALM, (3, 3, 3, 3)], [BUY], lots=1), costs=Costs(maker_ppm=0, taker_ppm=333_333))
    assert odd.fills[0].fee == -(-3 * MONEY * 333_333 // 1_000_000)


def test_p4_a_fee_in_base_is_withheld_in_whole_lots_and_the_fraction_carried(run: Run) -> None:
    costs = Costs(maker_ppm=0, taker_ppm=30_000, fee_in_base=True)
    leg = Leg([CALM] * 6, [BUY, FLAT, BUY, FLAT], lots=50, shortable=False)
    done = run(leg, costs=costs)
    assert done.filled() == [(1, 50, 100), (2, -49, 100), (3, 50, 100), (4, -48, 100)], "1.5 lots each: 1, then 2"
    assert done.result.costs["fees"] == (150 + 147 + 150 + 144) * MONEY


def test_p4_what_can_be_shorted_pays_in_quote(run: Run) -> None:
    costs = Costs(maker_ppm=0, taker_ppm=30_000, fee_in_base=True)
    assert run(Leg([CALM] * 3, [BUY, FLAT], lots=50), costs=costs).filled()[1] == (2, -50, 100)


def test_q1_all_fills_of_a_bar_share_its_volume(run: Run) -> None:
    rows = [CALM, (*CALM, 6), (*CALM, 6), CALM]
    done = run(Leg(rows, [BUY]), costs=WHOLE)
    assert done.filled() == [(1, 6, 100), (2, 4, 100)]
    reversal = run(Leg([CALM, CALM, (*CALM, 13), CALM], [BUY, SELL]), costs=WHOLE)
    assert reversal.filled() == [(1, 10, 100), (2, -10, 100), (2, -3, 100), (3, -7, 100)]


def test_q1_the_share_rounds_down(run: Run) -> None:
    costs = Costs(maker_ppm=0, taker_ppm=0, participation_bp=3_333)
    assert run(Leg([CALM, (*CALM, 20), CALM], [BUY]), costs=costs).filled()[0] == (1, 6, 100)


def test_q2_an_exit_ends_when_the_position_is_flat(run: Run) -> None:
    rows = [CALM, CALM, (*CALM, 4), (100, 100, 90, 95), CALM]
    done = run(Leg(rows, [(BUY, 5), FLAT]), costs=WHOLE)
    assert done.filled() == [(1, 10, 100), (2, -4, 100), (3, -6, 100)]
    assert done.orders[2].end_reason == EndReason.FILLED
    rows = [CALM, CALM, (100, 100, 95, 95, 4), CALM]
    stopped = run(Leg(rows, [(BUY, 5), FLAT]), costs=WHOLE)
    assert stopped.filled() == [(1, 10, 100), (2, -4, 100), (3, -6, 100)], "triggered in bar 2, without room"
    assert [stopped.orders[fill.order].is_stop for fill in stopped.fills] == [False, False, True]
    assert stopped.orders[2].end_reason == EndReason.POSITION_CLOSED


def test_q3_an_entry_waits_while_the_other_side_is_open(run: Run) -> None:
    rows = [CALM, CALM, (*CALM, 4), CALM]
    done = run(Leg(rows, [BUY, SELL]), costs=WHOLE)
    assert done.filled() == [(1, 10, 100), (2, -4, 100), (3, -6, 100), (3, -10, 100)]


def test_q3_an_ioc_entry_does_not_wait(run: Run) -> None:
    rows = [CALM, CALM, (*CALM, 4), CALM]
    done = run(Leg(rows, [BUY, SELL]), costs=WHOLE, style=OrderStyle(tif=TimeInForce.IOC))
    assert done.filled() == [(1, 10, 100), (2, -4, 100), (3, -6, 100)]
    assert done.orders[2].end_reason == EndReason.IOC_REST


def test_q4_a_buy_is_cut_to_what_cash_pays_with_its_fee(run: Run) -> None:
    done = run(Leg([CALM, CALM, CALM], [BUY]), cash=1_000, costs=Costs(maker_ppm=0, taker_ppm=10_000))
    assert done.filled() == [(1, 9, 100)], "10 lots would cost 1,010"
    assert done.orders[0].end_reason == EndReason.NO_FUNDS


def test_q4_without_cash_nothing_is_bought(run: Run) -> None:
    done = run(Leg([CALM, (2_000, 2_000, 2_000, 2_000), CALM], [BUY]), cash=1_000)
    assert (done.fills, done.orders[0].end_reason) == ([], EndReason.NO_FUNDS)


def test_q4_a_short_is_bought_back_at_any_price(run: Run) -> None:
    done = run(Leg([CALM, CALM, (9_000, 9_000, 9_000, 9_000)], [SELL, FLAT]), cash=1_000)
    assert done.filled() == [(1, -10, 100), (2, 10, 9_000)]
    assert done.equity()[-1] == 1_000 - 89_000


def test_q5_what_is_too_small_to_sell_stays_as_dust(run: Run) -> None:
    rows = [CALM, CALM, (40, 40, 40, 40), (40, 40, 40, 40)]
    done = run(Leg(rows, [BUY, FLAT], smallest=500, shortable=False))
    assert done.orders[1].end_reason == EndReason.BELOW_MINIMUM
    (trade,) = done.result.trades
    assert (trade.pnl, trade.closed_ns) == (-600 * MONEY, done.result.times_ns[2]), "closed at that price"
    assert done.result.exposure_units.tolist()[-1] == 400 * MONEY, "and still held"


@pytest.mark.parametrize(("side", "price"), [(BUY, 40), (SELL, 40)])
def test_q5_what_can_be_shorted_always_closes(run: Run, side: int, price: int) -> None:
    rows = [CALM, CALM, (price, price, price, price), CALM]
    done = run(Leg(rows, [side, FLAT], smallest=500))
    assert done.filled() == [(1, 10 * side, 100), (2, -10 * side, price)]
    assert done.orders[1].end_reason == EndReason.FILLED
    assert done.result.exposure_units.tolist()[-2:] == [0, 0]


def test_q5_a_stop_closes_what_can_be_shorted_whatever_it_is_worth(run: Run) -> None:
    rows = [CALM, CALM, (40, 40, 40, 40)]
    perpetual = run(Leg(rows, [(BUY, 50)], smallest=500))
    assert perpetual.filled() == [(1, 10, 100), (2, -10, 40)]
    spot = run(Leg(rows, [(BUY, 50)], smallest=500, shortable=False))
    assert (spot.filled(), spot.orders[1].end_reason) == ([(1, 10, 100)], EndReason.BELOW_MINIMUM)


def test_q5_dust_is_part_of_the_next_trade(run: Run) -> None:
    rows = [CALM, CALM, (40, 40, 40, 40), (60, 60, 60, 60), (60, 60, 60, 60), (60, 60, 60, 60)]
    done = run(Leg(rows, [(BUY, 0, 0, 0.5), FLAT, FLAT, BUY, FLAT], smallest=201, shortable=False))
    assert done.filled() == [(1, 5, 100), (4, 5, 60), (5, -10, 60)]
    assert [trade.pnl // MONEY for trade in done.result.trades] == [-300, 100], "5 lots were taken over at 40"
    assert done.equity()[-1] == 1_000_000 - 200
