"""The gate: every reason, their order, and exits that always pass (S17, S18)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import HOUR_NS
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.order import Order, OrderFlags, OrderKind, Refusal, RiskApproved, RiskRefused
from coinswarm.errors import InvariantError
from coinswarm.risk.gate import Circumstances, RiskGate
from coinswarm.risk.limits import RiskLimits
from coinswarm.risk.protections import Protections
from coinswarm.risk.sizing import Costing
from coinswarm.simulator.money import Scale

CASH = 1_000_000
NOW = 5 * HOUR_NS
UNIT = Scale.of(Instrument("A/B", Decimal("0.0001"), Decimal("0.0001"), shortable=True), 1 << 40)
"""One lot at one tick is worth one money unit."""
NOTHING = {
    "max_position_bp": 0,
    "max_exposure_bp": 0,
    "max_loss_per_trade_bp": 0,
    "daily_loss_bp": 0,
    "drawdown_bp": 0,
    "require_stop": False,
}


class Desk:
    """A gate with chosen limits, and the ways to ask it."""

    def __init__(self, *, cost_ppm: int = 0, needs_stop: bool = False, **limits: Any) -> None:  # noqa: ANN401
        rules = RiskLimits(**{**NOTHING, **limits})
        self.protections = Protections(rules, CASH, HOUR_NS)
        self.gate = RiskGate(rules, self.protections, Costing(cost_ppm), needs_stop=needs_stop)

    def ask(self, order: Order, **at: Any) -> Refusal:  # noqa: ANN401
        """The verdict on an order at a price of 100 ticks and an equity of 1,000,000."""
        fields = {
            "now": NOW, "measure": UNIT, "shortable": True, "min_units": 0, "price": 100, "equity": CASH, "held": 0,
            "others": 0, "guard": 0, **at,
        }  # fmt: skip
        verdict = self.gate.admit(order, Circumstances(**fields))
        if isinstance(verdict, RiskApproved):
            assert verdict.item is order
            return Refusal.APPROVED
        assert isinstance(verdict, RiskRefused)
        assert verdict.item is order
        return verdict.reason


def order(side: int = 1, lots: int = 100, stop: int = 10, **fields: Any) -> Order:  # noqa: ANN401
    """An entry worth 100 x lots."""
    return Order(0, NOW, side, OrderKind.MARKET, lots, stop_ticks=stop, **fields)


def test_one_lot_at_one_tick_is_one_unit_here() -> None:
    assert UNIT.value(7, 100) == 700


def test_an_order_within_all_limits_is_approved_and_counted() -> None:
    desk = Desk(max_trades_per_day=9)
    assert desk.ask(order()) is Refusal.APPROVED
    assert desk.protections.trades_today == 1


def test_a_refused_order_is_not_counted() -> None:
    desk = Desk(max_trades_per_day=9)
    assert desk.ask(order(lots=0)) is Refusal.NO_SIZE
    assert desk.protections.trades_today == 0


@pytest.mark.parametrize(
    ("equity", "verdict"), [(0, Refusal.NO_EQUITY), (-5, Refusal.NO_EQUITY), (1, Refusal.APPROVED)]
)
def test_without_equity_nothing_is_entered(equity: int, verdict: Refusal) -> None:
    assert Desk().ask(order(), equity=equity) is verdict


@pytest.mark.parametrize(
    ("side", "shortable", "verdict"),
    [(-1, False, Refusal.NOT_SHORTABLE), (-1, True, Refusal.APPROVED), (1, False, Refusal.APPROVED)],
)
def test_only_what_can_be_shorted_is(side: int, verdict: Refusal, *, shortable: bool) -> None:
    assert Desk().ask(order(side), shortable=shortable) is verdict


def test_an_open_breaker_refuses() -> None:
    desk = Desk(drawdown_bp=1_000, drawdown_pause_bars=1)
    desk.protections.mark(NOW - HOUR_NS, 899_999)
    assert desk.ask(order(), now=NOW - 1) is Refusal.DRAWDOWN
    assert desk.ask(order(), now=NOW) is Refusal.APPROVED


def test_the_stop_guard_refuses() -> None:
    desk = Desk(stop_guard_count=1, stop_guard_bars=1, stop_guard_pause_bars=1)
    desk.protections.stopped(NOW - HOUR_NS)
    assert desk.ask(order(), now=NOW - 1) is Refusal.STOP_GUARD
    assert desk.ask(order(), now=NOW) is Refusal.APPROVED


def test_so_many_trades_a_day() -> None:
    desk = Desk(max_trades_per_day=2)
    assert [desk.ask(order()) for _ in range(3)] == [Refusal.APPROVED, Refusal.APPROVED, Refusal.TRADES_PER_DAY]


@pytest.mark.parametrize(("needs", "verdict"), [(True, Refusal.NO_STOP), (False, Refusal.APPROVED)])
def test_a_stop_may_be_demanded(verdict: Refusal, *, needs: bool) -> None:
    assert Desk(needs_stop=needs).ask(order(stop=0)) is verdict
    assert Desk(needs_stop=needs).ask(order(stop=1)) is Refusal.APPROVED


@pytest.mark.parametrize("lots", [0, -3])
def test_less_than_one_lot_is_no_size(lots: int) -> None:
    assert Desk().ask(order(lots=lots)) is Refusal.NO_SIZE


@pytest.mark.parametrize(
    ("side", "stop", "least", "verdict"),
    [
        (1, 10, 9_000, Refusal.APPROVED),  # 100 lots at the stop, 90 ticks
        (1, 10, 9_001, Refusal.MIN_NOTIONAL),
        (-1, 10, 10_000, Refusal.APPROVED),  # a short's stop lies higher
        (-1, 10, 10_001, Refusal.MIN_NOTIONAL),
        (1, 0, 10_000, Refusal.APPROVED),
        (1, 500, 100, Refusal.APPROVED),  # a stop below zero counts as one tick
        (1, 500, 101, Refusal.MIN_NOTIONAL),
    ],
)
def test_an_order_must_be_large_enough_to_be_stopped_out(side: int, stop: int, least: int, verdict: Refusal) -> None:
    assert Desk().ask(order(side, stop=stop), min_units=least) is verdict


@pytest.mark.parametrize(("limit", "verdict"), [(10_000, Refusal.APPROVED), (9_999, Refusal.ORDER_LIMIT)])
def test_the_value_of_one_order(limit: int, verdict: Refusal) -> None:
    assert Desk(max_order_units=limit).ask(order()) is verdict


@pytest.mark.parametrize(("held", "verdict"), [(400, Refusal.APPROVED), (401, Refusal.POSITION_LIMIT)])
def test_the_value_of_a_position_with_what_is_held(held: int, verdict: Refusal) -> None:
    assert Desk(max_position_bp=500).ask(order(), held=held) is verdict  # 5 % of 1,000,000


@pytest.mark.parametrize(("others", "verdict"), [(939_000, Refusal.APPROVED), (939_001, Refusal.EXPOSURE_LIMIT)])
def test_the_value_of_all_positions(others: int, verdict: Refusal) -> None:
    assert Desk(max_exposure_bp=9_500).ask(order(), held=10, others=others) is verdict


@pytest.mark.parametrize(
    ("cost_ppm", "bp", "verdict"),
    [
        (0, 10, Refusal.APPROVED),  # 100 lots x 10 ticks = 1,000 = 10 bp
        (0, 9, Refusal.LOSS_LIMIT),
        (20_000, 12, Refusal.APPROVED),  # 2 % of 100 ticks more
        (20_000, 11, Refusal.LOSS_LIMIT),
        (20_001, 12, Refusal.LOSS_LIMIT),  # costs are rounded up to a whole tick
    ],
)
def test_the_loss_at_the_stop_costs_included(cost_ppm: int, bp: int, verdict: Refusal) -> None:
    assert Desk(cost_ppm=cost_ppm, max_loss_per_trade_bp=bp).ask(order()) is verdict


@pytest.mark.parametrize("stop", [0, 1, 99])
@pytest.mark.parametrize(
    ("side", "guard", "verdict"),
    [
        (1, 90, Refusal.APPROVED),
        (1, 89, Refusal.LOSS_LIMIT),
        (1, 101, Refusal.APPROVED),  # gone off already: it leaves at the next open
        (-1, 110, Refusal.APPROVED),
        (-1, 111, Refusal.LOSS_LIMIT),
    ],
)
def test_an_enlarged_position_is_lost_at_the_stop_that_stands(
    side: int, guard: int, stop: int, verdict: Refusal
) -> None:
    assert Desk(max_loss_per_trade_bp=10).ask(order(side, stop=stop), held=10, guard=guard) is verdict


@pytest.mark.parametrize(
    ("equity", "verdict"), [(991_000, Refusal.APPROVED), (990_999, Refusal.DAILY_LOSS), (1_200_000, Refusal.APPROVED)]
)
def test_the_loss_of_the_day_plus_this_orders_loss(equity: int, verdict: Refusal) -> None:
    desk = Desk(daily_loss_bp=100)  # 10,000; the order may lose 1,000
    desk.protections.mark(NOW, equity)
    assert desk.ask(order(), equity=equity) is verdict


def test_without_a_stop_the_day_counts_what_is_lost_already() -> None:
    desk = Desk(daily_loss_bp=100)
    desk.protections.mark(NOW, 990_000)
    assert desk.ask(order(stop=0), equity=990_000) is Refusal.APPROVED
    desk.protections.mark(NOW, 989_999)
    assert desk.ask(order(stop=0), equity=989_999) is Refusal.DAILY_LOSS


def test_a_day_that_began_in_debt_allows_no_loss() -> None:
    desk = Desk(daily_loss_bp=100)
    desk.protections.day_start = -50
    assert desk.ask(order(stop=0), equity=CASH) is Refusal.APPROVED
    assert desk.ask(order(stop=1), equity=CASH) is Refusal.DAILY_LOSS


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"limit": 98}, Refusal.APPROVED),
        ({"limit": 97}, Refusal.PRICE_BAND),
        ({"trigger": 102}, Refusal.APPROVED),
        ({"trigger": 103}, Refusal.PRICE_BAND),
        ({"limit": 100, "trigger": 103}, Refusal.PRICE_BAND),
        ({}, Refusal.APPROVED),
    ],
)
def test_prices_lie_within_the_band(fields: dict[str, int], verdict: Refusal) -> None:
    assert Desk(price_band_bp=200).ask(order(**fields)) is verdict


ORDER_OF_CHECKS = [
    Refusal.NO_EQUITY,
    Refusal.NOT_SHORTABLE,
    Refusal.DRAWDOWN,
    Refusal.STOP_GUARD,
    Refusal.TRADES_PER_DAY,
    Refusal.NO_STOP,
    Refusal.NO_SIZE,
    Refusal.MIN_NOTIONAL,
    Refusal.ORDER_LIMIT,
    Refusal.POSITION_LIMIT,
    Refusal.EXPOSURE_LIMIT,
    Refusal.LOSS_LIMIT,
    Refusal.DAILY_LOSS,
    Refusal.PRICE_BAND,
]


@given(st.sets(st.sampled_from(ORDER_OF_CHECKS)))
def test_the_first_reason_that_holds_is_given(faults: set[Refusal]) -> None:
    """Any set of faults at once: the verdict is the first in the order of the checks."""
    no_stop, no_size = Refusal.NO_STOP in faults, Refusal.NO_SIZE in faults
    # What an order without a stop or without lots cannot show.
    hidden = {Refusal.LOSS_LIMIT} if no_stop else set()
    desk = Desk(
        needs_stop=True,
        drawdown_bp=1_000 if Refusal.DRAWDOWN in faults else 0,
        stop_guard_count=1 if Refusal.STOP_GUARD in faults else 0,
        stop_guard_bars=1,
        stop_guard_pause_bars=9,
        max_trades_per_day=1 if Refusal.TRADES_PER_DAY in faults else 0,
        max_order_units=9_999 if Refusal.ORDER_LIMIT in faults else 0,
        max_position_bp=99 if Refusal.POSITION_LIMIT in faults else 0,
        max_exposure_bp=99 if Refusal.EXPOSURE_LIMIT in faults else 0,
        max_loss_per_trade_bp=9 if Refusal.LOSS_LIMIT in faults else 0,
        daily_loss_bp=1 if Refusal.DAILY_LOSS in faults else 0,
        price_band_bp=1 if Refusal.PRICE_BAND in faults else 0,
    )
    desk.protections.mark(NOW - HOUR_NS, CASH // 2)
    desk.protections.stopped(NOW - HOUR_NS)
    desk.protections.entered()
    verdict = desk.ask(
        order(-1, lots=0 if no_size else 100, stop=0 if no_stop else 10, limit=50),
        equity=0 if Refusal.NO_EQUITY in faults else CASH,
        shortable=Refusal.NOT_SHORTABLE not in faults,
        min_units=10_001 if Refusal.MIN_NOTIONAL in faults else 0,
    )
    first = next((one for one in ORDER_OF_CHECKS if one in faults - hidden), Refusal.APPROVED)
    assert verdict is first


def test_every_refusal_but_the_cool_down_comes_from_the_gate() -> None:
    assert {*ORDER_OF_CHECKS} == {*Refusal} - {Refusal.APPROVED, Refusal.COOL_DOWN}


def test_exits_always_pass_whatever_stands_against_entries() -> None:
    desk = Desk(
        drawdown_bp=1, stop_guard_count=1, stop_guard_bars=1, stop_guard_pause_bars=9, max_trades_per_day=1,
        max_order_units=1, max_position_bp=1, max_exposure_bp=1, daily_loss_bp=1, price_band_bp=1, needs_stop=True,
    )  # fmt: skip
    desk.protections.mark(NOW, 1)
    desk.protections.stopped(NOW)
    desk.protections.entered()
    exit_order = order(-1, lots=10**6, flags=OrderFlags.REDUCE_ONLY | OrderFlags.PROTECTIVE)
    assert desk.ask(exit_order._replace(flags=OrderFlags.NONE)) is not Refusal.APPROVED
    assert desk.gate.reduce(exit_order).item is exit_order
    assert desk.protections.trades_today == 1, "an exit is no entry"


@pytest.mark.parametrize("flags", [OrderFlags.NONE, OrderFlags.PROTECTIVE, OrderFlags.OCO])
def test_nothing_passes_as_an_exit_without_being_reduce_only(flags: OrderFlags) -> None:
    with pytest.raises(InvariantError, match="without being reduce-only"):
        Desk().gate.reduce(order(flags=flags))
