"""Hand-made markets say what they were told."""

from __future__ import annotations

from coinswarm.engine.steps import run_steps
from coinswarm_testkit.markets.tiny import BUY, FLAT, HOUR_NS, MIDNIGHT_NS, PLENTY, SELL, Leg, outcome, tiny_plan

CALM = (100, 101, 99, 100)


def test_missing_rows_volumes_and_sayings() -> None:
    plan = tiny_plan(Leg([CALM, None, (*CALM, 7)], [BUY, SELL, (FLAT, 0, 0, 0.5)]), begin=5)
    assert ((plan.bars[0].open_ns - MIDNIGHT_NS) // HOUR_NS).tolist() == [5, 7]
    assert plan.ticks[0].volume.tolist() == [PLENTY, 7]
    said = plan.seats[0].agents[0].columns  # type: ignore[attr-defined]
    assert (said.direction.tolist(), said.confidence_bp.tolist()) == ([1, 0], [10_000, 5_000])


def test_an_outcome_reads_in_bars_lots_and_quote() -> None:
    plan = tiny_plan(Leg([CALM, CALM, (110, 111, 109, 110)], [BUY], funding=[(2, 10_000_000)]), Leg([CALM] * 3, [FLAT]))
    done = outcome(plan, run_steps(plan))
    assert done.filled() == [(1, 10, 100)]
    assert done.equity() == [1_000_000, 1_000_000, 1_000_000 + 100 - 10]
    assert [decision.lots for decision in done.decisions] == [10]
    assert [order.lots for order in done.orders] == [10]
