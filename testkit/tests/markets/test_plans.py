"""Random plans: repeatable, valid, and of every flavour."""

from __future__ import annotations

import numpy as np

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm_testkit.markets.plans import Contrarian, random_plan


def test_a_plan_is_a_function_of_its_seed() -> None:
    one, again, other = random_plan(11), random_plan(11), random_plan(12)
    assert (one.cash, one.limits, one.costs, one.style, one.sizing) == (
        again.cash, again.limits, again.costs, again.style, again.sizing,
    )  # fmt: skip
    for left, right in zip(one.bars, again.bars, strict=True):
        np.testing.assert_array_equal(left.close, right.close)
    assert [len(bars) for bars in one.bars] != [len(bars) for bars in other.bars]


def test_plans_are_what_the_engines_take() -> None:
    for seed in range(60):
        plan = random_plan(seed)
        assert sum(plan.weights) == 10_000
        assert [b.instrument.symbol for b in plan.bars] == sorted(b.instrument.symbol for b in plan.bars)
        for bars, ticks in zip(plan.bars, plan.ticks, strict=True):
            assert (ticks.low >= 1).all()
            assert (ticks.low <= np.minimum(ticks.open, ticks.close)).all()
            assert (ticks.high >= np.maximum(ticks.open, ticks.close)).all()
            for seat, k in ((seat, plan.bars.index(bars)) for seat in plan.seats):
                assert len(seat.agents[k].decide_all(bars[:20])) == min(len(bars), 20)  # type: ignore[attr-defined]


def test_the_other_weigher_keeps_its_contract() -> None:
    weigher = Contrarian()
    assert weigher.step(ActionRow([1], [5_000], [False]), [10_000]) == Exposure(-1_000, 0)
    assert weigher.step(ActionRow([1, 1], [1, 1], [True, True]), [5_000, 5_000]) == Exposure(10_000, 10_000)
