"""Prices of a trade as told when it closes are those that the whole run's tables give afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from coinswarm.backtest.tradefills import PARTS, average_prices, trade_fills
from coinswarm.engine.memory import RunMemory
from coinswarm.engine.steps import run_steps
from coinswarm.memory.recall.privatelog import PrivateLog
from coinswarm.memory.recall.rules import RecallRules
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.markets.seated import seated_bars, seated_plan
from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, Filter, LogPosition, Match, Space
    from coinswarm.engine.memory import Vector
    from coinswarm.memory.recall.episodes import Traded


class Nothing:
    """An index that finds nothing."""

    def remember(self, space: Space, episode: Episode, vector: Vector, at: LogPosition) -> None:
        """Forget it."""

    def nearest(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:  # noqa: ARG002
        return ()


class Heard(RunMemory):
    """Writes down what it is told."""

    trades: list[tuple[int, Traded]]

    def closed(self, k: int, trade: Traded) -> None:
        self.trades.append((k, trade))
        super().closed(k, trade)


@pytest.mark.parametrize("seed", [0, 4, 6, 9, 10])
@pytest.mark.parametrize("participation_bp", [0, 20], ids=["whole fills", "partial fills"])
def test_prices_are_those_of_the_tables(seed: int, participation_bp: int) -> None:
    bars = seated_bars(seed, 500)
    drawn = seated_plan(seed, bars, [RecallingAgent() for _ in bars], warm_up=101)
    plan = replace(
        drawn,
        sizing=SizingRules(),
        limits=RiskLimits(),
        costs=Costs(spread_ppm=400, slippage_ppm=150, participation_bp=participation_bp),
        seats=tuple(replace(seat, space="recalling/state.1") for seat in drawn.seats),
        recall=RecallRules(embargo_ns=drawn.bar_ns),
    )
    memory = Heard(plan, Nothing(), PrivateLog(), "run-1")
    memory.trades = []
    result = run_steps(plan, memory)
    assert len(memory.trades) == len(result.trade_rows) > 5
    averages = average_prices(result)
    for place, (k, trade) in enumerate(memory.trades):
        tick = float(plan.bars[k].instrument.tick)
        for told, wanted in ((trade.entry_price, averages.entry[place]), (trade.exit_price, averages.exit[place])):
            assert float(told) == pytest.approx(wanted * tick / PARTS, abs=tick / PARTS)
        rows = trade_fills(result)[place]
        lots, ticks = result.fills[rows, 2], result.fills[rows, 3]
        away = np.abs(ticks - result.reference[rows]) * lots
        assert trade.slippage_bps / 2 <= 1e4 * away.sum() / (result.reference[rows] * lots).sum() + 2
        assert trade.outcome == result.trades[place]
