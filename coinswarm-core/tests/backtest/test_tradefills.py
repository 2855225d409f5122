"""Fills of closed trades: every fill counted once, fees add up, and average prices are those of the fills."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.backtest.report.charts import position_of
from coinswarm.backtest.report.grid import Grid
from coinswarm.backtest.tables import trades
from coinswarm.backtest.tradefills import PARTS, _average, average_prices, still_open, trade_fills
from coinswarm.engine.steps import Session, run_steps, timeline
from coinswarm_testkit.markets.plans import random_plan
from coinswarm_testkit.markets.tiny import BUY, FLAT, SELL, Leg, tiny_plan

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_the_fees_of_a_trade_are_those_of_its_fills(first: int) -> None:
    """Random markets and rules: brackets, partial fills, several trades in one bar, dust, open positions."""
    seen = 0
    for seed in range(first, first + 40):
        result = run_steps(random_plan(seed))
        found = trade_fills(result)
        used = [row for rows in found for row in rows]
        assert len(used) == len(set(used))
        for rows, fees in zip(found, result.trade_rows[:, 6].tolist(), strict=True):
            assert sum(result.fills[rows, 4].tolist()) == fees, f"random_plan({seed})"
        seen += len(found)
    assert seen > 200


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_the_line_of_positions_is_what_was_held(first: int) -> None:
    """Random markets and rules, fees in base among them; what the venue would not take back is no position."""
    in_base = 0
    for seed in range(first, first + 40):
        plan = random_plan(seed)
        session = Session(plan)
        held: list[list[int]] = []
        for t, group in timeline(plan):
            session.step(t, group)
            ledger, holdings = session.desk.ledger, session.exchange.holdings
            held.append([int(np.sign(h.lots)) if ledger.is_open(k) else 0 for k, h in enumerate(holdings)])
        result = session.result()
        for k, begun in enumerate(still_open(result)):
            shown = position_of(result, Grid.over(result.times_ns), k, begun).tolist()
            assert shown == [row[k] for row in held], f"random_plan({seed})"
        in_base += plan.costs.fee_in_base and len(result.fills) > 0
    assert in_base


def test_prices_worked_out_by_hand() -> None:
    """Bought at the open of bar 1, sold at the open of bar 2, and the other way round later."""
    rows = [(100, 101, 99, 100), (102, 104, 101, 103), (97, 98, 95, 96), (90, 91, 89, 90), (80, 81, 79, 80)]
    result = run_steps(tiny_plan(Leg(rows, [BUY, SELL, SELL, FLAT])))
    found = average_prices(result)
    sides = result.trade_rows[:, 1].tolist()
    fills = result.fills[:, 3].tolist()
    assert sides[0] == 1
    assert (found.entry[0], found.exit[0]) == (fills[0] * PARTS, fills[1] * PARTS)
    columns = {column.name: column.texts() for column in trades(result)}
    tick = result.instruments[0].tick
    assert [Decimal(text) for text in columns["entry"]] == [Decimal(int(x)) * tick / PARTS for x in found.entry]
    assert list(columns)[:7] == ["instrument", "side", "opened", "closed", "quantity", "entry", "exit"]


def test_a_trade_without_an_exit_fill_has_no_exit_price() -> None:
    rows = [(100, 101, 99, 100), (102, 104, 101, 103), (97, 98, 95, 96), (90, 91, 89, 90)]
    result = run_steps(tiny_plan(Leg(rows, [BUY, FLAT])))
    assert len(result.fills) == 2
    dust = replace(result, fills=result.fills[:1], reference=result.reference[:1])
    assert {column.name: column.texts() for column in trades(dust)}["exit"] == [""]


def test_no_trades_have_no_prices() -> None:
    result = run_steps(tiny_plan(Leg([(100, 101, 99, 100)] * 3, [FLAT])))
    assert [len(part) for part in average_prices(result)] == [0, 0]
    assert average_prices(result).entry.dtype == np.int64


@given(st.lists(st.tuples(st.integers(1, 2**40), st.integers(1, 2**30)), min_size=1, max_size=8))
def test_averages_are_rounded_half_to_even(fills: list[tuple[int, int]]) -> None:
    total = sum(lots for lots, _ in fills)
    assert _average(fills) == round(Fraction(PARTS * sum(lots * ticks for lots, ticks in fills), total))
