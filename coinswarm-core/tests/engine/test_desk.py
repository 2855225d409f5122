"""D1-D6: from intents to orders, through both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.domain.order import EndReason, OrderKind, Refusal
from coinswarm.execution.style import OrderStyle
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.plans import Contrarian
from coinswarm_testkit.markets.tiny import BUY, FLAT, HOUR_NS, MIDNIGHT_NS, OPEN, SELL, Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.markets.tiny import Outcome, Saying

    Run = Callable[..., Outcome]

CALM = (100, 101, 99, 100)
WHOLE = Costs(maker_ppm=0, taker_ppm=0, participation_bp=10_000)


def limits(**changed: int | bool) -> RiskLimits:
    """Every limit off but those named."""
    off = {name: getattr(OPEN, name) for name in OPEN.__slots__}
    return RiskLimits(**{**off, **changed})


def refusals(done: Outcome) -> list[Refusal]:
    """Why each decision was refused, those that were."""
    return [Refusal(decision.refusal) for decision in done.decisions if decision.refusal]


def test_d1_an_intent_that_stands_sends_nothing(run: Run) -> None:
    done = run(Leg([CALM] * 5, [BUY, BUY, (BUY, 0, 0, 0.5), (BUY, 0, 0, 0.9)]))
    assert (len(done.orders), len(done.decisions)) == (1, 1)


@pytest.mark.parametrize(("confidence", "orders"), [(0.8, 1), (0.7999, 2)])
def test_d1_a_change_up_to_the_limit_sends_nothing(run: Run, confidence: float, orders: int) -> None:
    done = run(Leg([CALM] * 4, [BUY, (BUY, 0, 0, confidence)], lots=10_000), rebalance_bp=2_000)
    assert len(done.orders) == orders


def test_d2_a_side_left_is_closed_at_the_market(run: Run) -> None:
    done = run(Leg([CALM] * 3, [BUY, FLAT]))
    assert done.filled() == [(1, 10, 100), (2, -10, 100)]
    assert done.orders[1].reduce_only


def test_d2_a_side_turned_is_closed_and_the_other_opened(run: Run) -> None:
    assert run(Leg([CALM] * 3, [BUY, SELL])).filled() == [(1, 10, 100), (2, -10, 100), (2, -10, 100)]


def test_d2_a_working_entry_is_withdrawn(run: Run) -> None:
    done = run(Leg([CALM, (*CALM, 0), CALM], [BUY, SELL]))
    assert (done.orders[0].end_reason, done.filled()) == (EndReason.WITHDRAWN, [(2, -10, 100)])


def test_d2_a_refused_side_is_not_tried_again(run: Run) -> None:
    done = run(Leg([CALM] * 5, [BUY, BUY, FLAT, BUY]), limits=limits(require_stop=True))
    assert refusals(done) == [Refusal.NO_STOP, Refusal.NO_STOP], "once, and once more after the intent had left"


def test_d2_what_cannot_be_shorted_is_left(run: Run) -> None:
    done = run(Leg([CALM] * 3, [BUY, SELL], shortable=False))
    assert (done.filled(), refusals(done)) == ([(1, 10, 100), (2, -10, 100)], [])


@pytest.mark.parametrize("leaves", [FLAT, SELL])
def test_d2_a_side_left_is_closed_whole_though_a_reduction_works(run: Run, leaves: int) -> None:
    rows = [CALM, CALM, (*CALM, 0), CALM, CALM]
    done = run(Leg(rows, [BUY, (BUY, 0, 0, 0.5), leaves]), rebalance_bp=1_000)
    turned = [(3, -10, 100)] if leaves == SELL else []
    assert done.filled() == [(1, 10, 100), (3, -10, 100), *turned], "the reduction of five did not fill in time"
    assert done.orders[1].end_reason == EndReason.WITHDRAWN


def test_d3_an_exit_that_has_not_filled_is_withdrawn(run: Run) -> None:
    rows = [CALM, CALM, (*CALM, 4), CALM, CALM]
    done = run(Leg(rows, [BUY, FLAT, BUY]), costs=WHOLE)
    assert done.orders[1].end_reason == EndReason.WITHDRAWN
    assert done.filled() == [(1, 10, 100), (2, -4, 100), (3, 4, 100)], "only the difference is bought"


def test_d3_more_than_is_wanted_now_is_reduced(run: Run) -> None:
    rows = [CALM, CALM, (*CALM, 0), CALM, CALM]
    done = run(Leg(rows, [BUY, FLAT, (BUY, 0, 0, 0.3)]))
    assert (done.filled(), refusals(done)) == ([(1, 10, 100), (3, -7, 100)], [])
    assert done.orders[2].reduce_only


def test_d3_dust_is_not_reduced(run: Run) -> None:
    rows = [CALM, (*CALM, 4), CALM, CALM, CALM, CALM]
    done = run(Leg(rows, [BUY, FLAT, (BUY, 0, 0, 0.3)], shortable=False, smallest=600), costs=WHOLE)
    assert done.orders[1].end_reason == EndReason.BELOW_MINIMUM
    assert (done.filled(), refusals(done)) == ([(1, 4, 100)], [Refusal.NO_SIZE])


def test_d4_a_resize_orders_the_difference(run: Run) -> None:
    says: list[Saying] = [(BUY, 0, 0, 0.5), BUY, (BUY, 0, 0, 0.3)]
    done = run(Leg([CALM] * 5, says), rebalance_bp=1_000)
    assert done.filled() == [(1, 5, 100), (2, 5, 100), (3, -7, 100)]
    assert [order.reduce_only for order in done.orders] == [False, False, True]


def test_d4_a_reduction_below_the_smallest_notional_is_left_out(run: Run) -> None:
    says: list[Saying] = [BUY, (BUY, 0, 0, 0.7)]
    assert len(run(Leg([CALM] * 4, says, smallest=301), rebalance_bp=1_000).orders) == 1
    assert len(run(Leg([CALM] * 4, says, smallest=300), rebalance_bp=1_000).orders) == 2


def test_d5_after_a_stop_its_side_is_closed_until_the_intent_has_left(run: Run) -> None:
    rows = [CALM, CALM, (100, 100, 90, 100), CALM, CALM, CALM, CALM]
    done = run(Leg(rows, [(BUY, 5), (BUY, 5), (BUY, 5), (BUY, 5), FLAT, (BUY, 5)]))
    assert refusals(done) == [Refusal.COOL_DOWN], "recorded once"
    assert done.filled() == [(1, 10, 100), (2, -10, 95), (6, 10, 100)]


def test_d5_or_until_the_cool_down_is_over(run: Run) -> None:
    rows = [CALM, CALM, (100, 100, 90, 100), *[CALM] * 5]
    done = run(Leg(rows, [(BUY, 5)]), limits=limits(cool_down_bars=2))
    # Stopped in bar 2, known at 03:00; two bars later it is 05:00, so bar 5 has it.
    assert done.filled() == [(1, 10, 100), (2, -10, 95), (5, 10, 100)]
    assert [(d.known_ns - MIDNIGHT_NS) // HOUR_NS for d in done.decisions] == [1, 3, 5]


def test_d5_the_other_side_is_open_at_once(run: Run) -> None:
    rows = [CALM, CALM, (100, 100, 90, 100), CALM]
    assert run(Leg(rows, [(BUY, 5), (BUY, 5), SELL])).filled() == [(1, 10, 100), (2, -10, 95), (3, -10, 100)]


def test_d6_exits_pass_whatever_the_gate_holds(run: Run) -> None:
    rows = [CALM, CALM, (50, 50, 50, 50), (50, 50, 50, 50), (50, 50, 50, 50)]
    done = run(Leg(rows, [BUY, BUY, SELL], lots=1_000), cash=100_000, limits=limits(drawdown_bp=100))
    assert refusals(done) == [Refusal.DRAWDOWN]
    assert done.filled() == [(1, 1_000, 100), (3, -1_000, 50)]


@pytest.mark.parametrize(
    ("rules", "says", "why"),
    [
        ({"limits": limits(max_trades_per_day=1)}, [BUY, FLAT, BUY], Refusal.TRADES_PER_DAY),
        ({"limits": limits(require_stop=True)}, [BUY], Refusal.NO_STOP),
        ({"limits": limits(max_order_units=999 * 10**8)}, [BUY], Refusal.ORDER_LIMIT),
        ({"limits": limits(max_position_bp=9)}, [BUY], Refusal.POSITION_LIMIT),
        ({"limits": limits(max_exposure_bp=9)}, [BUY], Refusal.EXPOSURE_LIMIT),
        ({"limits": limits(max_loss_per_trade_bp=1), "cash": 10_000}, [(BUY, 1)], Refusal.LOSS_LIMIT),
        ({"limits": limits(daily_loss_bp=1), "cash": 10_000}, [(BUY, 1)], Refusal.DAILY_LOSS),
        (
            {"limits": limits(price_band_bp=499), "style": OrderStyle(entry=OrderKind.LIMIT, offset_ppm=50_000)},
            [BUY],
            Refusal.PRICE_BAND,
        ),
        ({"sizing": SizingRules(method="lots", fixed_lots=(0,))}, [BUY], Refusal.NO_SIZE),
    ],
    ids=lambda value: value.name if isinstance(value, Refusal) else "",
)
def test_d6_each_limit_refuses_just_beyond_it(
    run: Run, rules: dict[str, object], says: list[object], why: Refusal
) -> None:
    costs = Costs(maker_ppm=0, taker_ppm=1_000 if why in {Refusal.LOSS_LIMIT, Refusal.DAILY_LOSS} else 0)
    done = run(Leg([CALM] * 4, says), costs=costs, **rules)  # type: ignore[arg-type]
    assert refusals(done) == [why]


def test_d6_a_loss_at_the_limit_itself_is_approved(run: Run) -> None:
    exact = limits(max_loss_per_trade_bp=10, daily_loss_bp=10, max_position_bp=1_000, max_exposure_bp=1_000)
    assert refusals(run(Leg([(100, 100, 100, 100)] * 3, [(BUY, 1)]), cash=10_000, limits=exact)) == []


@pytest.mark.parametrize(("bp", "why"), [(1_000, []), (999, [Refusal.LOSS_LIMIT])])
def test_d6_what_enlarges_a_position_is_lost_at_the_stop_that_stands(run: Run, bp: int, why: list[Refusal]) -> None:
    """Ten lots more at 200, their own stop at 190: the position's stands at 90, and 1,100 of 11,000 can be lost."""
    rows = [CALM, CALM, (200, 201, 199, 200), (200, 201, 199, 200)]
    leg = Leg(rows, [(BUY, 10, 0, 0.5), (BUY, 10, 0, 0.5), (BUY, 10, 0, 1.0)], lots=20)
    done = run(leg, cash=10_000, limits=limits(max_loss_per_trade_bp=bp), rebalance_bp=1_000)
    assert refusals(done) == why
    assert [fill[1] for fill in done.filled()] == ([10] if why else [10, 10])


def test_d6_below_the_smallest_notional_counting_the_stop(run: Run) -> None:
    assert refusals(run(Leg([CALM] * 3, [(BUY, 5)], smallest=951))) == [Refusal.MIN_NOTIONAL]
    assert refusals(run(Leg([CALM] * 3, [(BUY, 5)], smallest=950))) == []


def test_d6_short_of_what_cannot_be_shorted_is_refused_when_a_weigher_asks_for_it(run: Run) -> None:
    done = run(Leg([CALM] * 3, [FLAT], shortable=False), weigher=Contrarian())
    assert refusals(done) == [Refusal.NOT_SHORTABLE]


def test_d6_stops_in_a_row_stop_entries(run: Run) -> None:
    guard = limits(stop_guard_count=1, stop_guard_bars=10, stop_guard_pause_bars=2)
    rows = [CALM, CALM, (100, 100, 90, 100), CALM, CALM, CALM, CALM]
    done = run(Leg(rows, [(BUY, 5), (BUY, 5), SELL, FLAT, SELL]), limits=guard)
    assert refusals(done) == [Refusal.STOP_GUARD]
    assert done.filled()[-1] == (5, -10, 100)


def test_d6_nothing_left_to_trade_with(run: Run) -> None:
    rows = [CALM, CALM, (9_000, 9_000, 9_000, 9_000), (9_000, 9_000, 9_000, 9_000)]
    done = run(Leg(rows, [SELL, SELL, BUY]), cash=1_000)
    assert refusals(done) == [Refusal.NO_EQUITY]
    assert done.filled()[-1] == (3, 10, 9_000), "and still the short is closed"
