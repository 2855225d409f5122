"""The record of a run: named views of its tables, and its hash."""

from __future__ import annotations

from dataclasses import replace

from coinswarm.domain.order import Refusal
from coinswarm.engine.columns import run_columns
from coinswarm.engine.result import DECISION_FIELDS, FILL_FIELDS, ORDER_FIELDS
from coinswarm_testkit.markets.tiny import BUY, FLAT, HOUR_NS, MIDNIGHT_NS, OPEN, Leg, tiny_plan

CALM = (100, 101, 99, 100)


def test_trades_name_symbol_times_and_money() -> None:
    result = run_columns(tiny_plan(Leg([CALM, CALM, (110, 111, 109, 110)], [(BUY, 5), FLAT])))
    (trade,) = result.trades
    assert (trade.instrument, trade.side, trade.lots, trade.pnl, trade.risk) == (
        "C0/USD",
        1,
        10,
        100 * 10**8,
        50 * 10**8,
    )
    assert (trade.opened_ns, trade.closed_ns) == (MIDNIGHT_NS + HOUR_NS, MIDNIGHT_NS + 2 * HOUR_NS)
    assert trade.known_ns == trade.closed_ns + HOUR_NS
    assert (trade.agree, trade.stopped) == (1, False)


def test_refusals_are_counted_by_reason() -> None:
    plan = tiny_plan(Leg([CALM] * 5, [BUY, FLAT, BUY]), limits=replace(OPEN, require_stop=True))
    assert run_columns(plan).refusals == {Refusal.NO_STOP: 2}


def test_widths_are_those_of_the_fields() -> None:
    result = run_columns(tiny_plan(Leg([CALM] * 3, [BUY])))
    for table, fields in (
        (result.orders, ORDER_FIELDS),
        (result.fills, FILL_FIELDS),
        (result.decisions, DECISION_FIELDS),
    ):
        assert table.shape == (1, len(fields))


def test_the_hash_is_of_orders_and_fills_alone() -> None:
    one = run_columns(tiny_plan(Leg([CALM] * 3, [BUY])))
    other = run_columns(tiny_plan(Leg([CALM] * 3, [BUY]), cash=999_999))
    assert one.order_hash == other.order_hash, "cash is a setting; what was ordered and filled is the same"
    moved = run_columns(tiny_plan(Leg([CALM, (101, 102, 100, 101), CALM], [BUY])))
    assert moved.order_hash != one.order_hash
    assert len(one.order_hash) == 64
