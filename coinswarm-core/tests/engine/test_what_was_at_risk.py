"""What a trade had at risk is what was held: a stop-out at the stop is one multiple of it, however it was filled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coinswarm.committee.rules import CommitteeRules
from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm.memory.recall.episodes import episode_of
from coinswarm.risk.limits import SizingRules
from coinswarm.risk.sizing import Record
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.tiny import BUY, FLAT, Leg, tiny_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

CALM, CRASH = (100, 101, 99, 100), (100, 100, 94, 94)
WISH, SMALL = (BUY, 5.0, 0.0, 1.0), (BUY, 5.0, 0.0, 0.1)


def filled_whole() -> RunPlan:
    return tiny_plan(Leg([CALM, CALM, CRASH, (94, 94, 94, 94)], [WISH, WISH, FLAT, FLAT], lots=1000))


def filled_in_part() -> RunPlan:
    calm = (100, 101, 99, 100, 100)
    rows = [calm, calm, (100, 100, 95, 95, 100), (95, 95, 95, 95, 100_000), (94, 94, 94, 94, 100_000)]
    thin = Costs(maker_ppm=0, taker_ppm=0, participation_bp=1_000)
    return tiny_plan(Leg(rows, [WISH, WISH, FLAT, FLAT], lots=1000), costs=thin)


def grown() -> RunPlan:
    plan = tiny_plan(Leg([CALM] * 4 + [CRASH] * 2, [SMALL, SMALL, WISH, WISH, WISH, FLAT], lots=1000))
    return replace(plan, committee=CommitteeRules(enter_bp=500, exit_bp=100, rebalance_bp=500))


@pytest.mark.parametrize("engine", [run_steps, run_columns])
@pytest.mark.parametrize(("make", "lots"), [(filled_whole, 1_000), (filled_in_part, 20), (grown, 1_000)])
def test_a_stop_out_is_one_multiple(
    engine: Callable[[RunPlan], RunResult], make: Callable[[], RunPlan], lots: int
) -> None:
    plan = make()
    [trade] = engine(plan).trades
    assert (trade.lots, trade.stopped, trade.pnl) == (lots, True, -trade.risk)
    episode = episode_of(trade, space="s/1", agent="a", decided_ns=trade.opened_ns, value=lots * 100 * 10**8)
    assert (episode.result_ppm, episode.risk_ppm) == (-50_000, 50_000)
    record = Record(plan.weights)
    record.add(trade)
    assert record.lost == [10_000]


DEAR = Costs(maker_ppm=2_000, taker_ppm=2_000, spread_ppm=1_000, slippage_ppm=500)
"""A round trip costs 0.6 %, as much as the stop is away."""


@pytest.mark.parametrize("engine", [run_steps, run_columns])
def test_costs_belong_to_what_is_at_risk(engine: Callable[[RunPlan], RunResult]) -> None:
    """What is sized to lose a quarter of a per cent at its stop loses no more, however dear trading is.

    It loses a little less: spread and slippage of the entry are in its price already, from which the stop is away.
    """
    calm, fall = (10_000, 10_010, 9_990, 10_000), (10_000, 10_000, 9_900, 9_900)
    wish = (BUY, 60.0, 0.0, 1.0)
    plan = tiny_plan(Leg([calm, calm, fall, (9_900,) * 4], [wish, wish, FLAT, FLAT], lots=10**6), costs=DEAR)
    plan = replace(plan, sizing=SizingRules(), cash=10**16)
    [trade] = engine(plan).trades
    assert trade.stopped
    assert 0.85 < -trade.pnl / trade.risk <= 1.0
    assert 0.85 < -trade.pnl / (plan.cash * 25 // 10_000) <= 1.0
    record = Record(plan.weights)
    record.add(trade)
    assert 8_500 < record.lost[0] <= 10_000
