"""Agents in the engines: columns or bar by bar, raising, warming up, after a hole; through both engines."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.domain.action import FLAT, Action, ActionColumns, Side
from coinswarm.engine.columns import run_columns
from coinswarm.engine.plan import SeatedAgent
from coinswarm.engine.steps import run_steps
from coinswarm.errors import ContractError
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.tiny import BUY, HOLD, Leg, outcome, tiny_plan
from coinswarm_testkit.markets.tiny import FLAT as OUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

CALM = (100, 101, 99, 100)
ENGINES = pytest.mark.parametrize("engine", [run_columns, run_steps], ids=["columns", "steps"])


class OddBars(SignalAgent):
    """Buys at odd rows, one bar at a time; may raise at one of them."""

    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at = fails_at

    def decide(self, state: MarketState) -> Action:
        if state.index == self.fails_at:
            message = "not today"
            raise RuntimeError(message)
        return Action(Side.BUY, 1.0) if state.index % 2 else FLAT


class OddColumns(ColumnarAgent):
    """The same as columns."""

    def decide_all(self, bars: Bars) -> ActionColumns:
        return ActionColumns.of(bars.instrument, np.arange(len(bars)) % 2)


class TooShort(ColumnarAgent):
    """Forgets a row."""

    def decide_all(self, bars: Bars) -> ActionColumns:
        return ActionColumns.of(bars.instrument, np.zeros(len(bars) - 1, np.int8))


class Raises(ColumnarAgent):
    """Raises over the whole history."""

    def decide_all(self, bars: Bars) -> ActionColumns:  # noqa: ARG002 - whatever it sees
        message = "no"
        raise KeyError(message)


class NoColumns(ColumnarAgent):
    """Answers with something else."""

    def decide_all(self, bars: Bars) -> ActionColumns:
        return [0] * len(bars)  # type: ignore[return-value]


def plan_of(agent: SignalAgent, rows: int = 6) -> RunPlan:
    plan = tiny_plan(Leg([CALM] * rows, [OUT]))
    return replace(plan, seats=(SeatedAgent("one", (agent,), 10_000),))


@ENGINES
def test_bar_by_bar_or_as_columns_is_the_same(engine: Callable[[RunPlan], RunResult]) -> None:
    slow, fast = engine(plan_of(OddBars())), engine(plan_of(OddColumns()))
    assert differences(slow, fast) == []
    assert len(slow.fills) == 4


@ENGINES
def test_an_agent_that_raises_abstains_and_is_counted(engine: Callable[[RunPlan], RunResult]) -> None:
    result = engine(plan_of(OddBars(fails_at=2)))
    assert result.errors == {"one": 1}
    assert len(result.fills) == 2, "it did not leave at row 2: the intent stands while nobody speaks"


class Wordless(SignalAgent):
    """Raises what has no text at one of its rows."""

    def decide(self, state: MarketState) -> Action:
        if state.index == 2:
            raise WordlessError
        return Action(Side.BUY, 1.0) if state.index % 2 else FLAT


class WordlessError(Exception):
    """Raises where it is asked what it says."""

    def __str__(self) -> str:
        return f"at {self.args[0]}"


@ENGINES
def test_an_exception_without_a_text_is_counted_too(engine: Callable[[RunPlan], RunResult]) -> None:
    assert engine(plan_of(Wordless())).errors == {"one": 1}


@ENGINES
@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (TooShort(), "TooShort.decide_all: direction is int8 of shape (5,), not int8 of 6 rows"),
        (NoColumns(), "answered list for 6 bars"),
        (Raises(), "Raises.decide_all raised KeyError: 'no'"),
    ],
)
def test_columns_of_another_shape_are_refused(
    engine: Callable[[RunPlan], RunResult], agent: ColumnarAgent, said: str
) -> None:
    with pytest.raises(ContractError, match=re.escape(said)):
        engine(plan_of(agent))


@ENGINES
def test_warm_up_and_holes_abstain_and_forget(engine: Callable[[RunPlan], RunResult]) -> None:
    rows = [CALM] * 4 + [None] * 3 + [CALM] * 5
    plan = tiny_plan(Leg(rows, [BUY, BUY, BUY, HOLD, 0, 0, 0, HOLD, HOLD, HOLD, BUY]), hole_bars=3)
    seat = plan.seats[0]
    plan = replace(plan, seats=(replace(seat, warm_up=3),))
    done = outcome(plan, engine(plan))
    assert [bar for bar, _, _ in done.filled()][:1] == [3], "the third bar is the first that counts"
    masked = plan.bars[0].warming(3, 3).tolist()
    assert masked == [True, True, False, False, True, True, False, False, False]


@ENGINES
def test_nothing_is_traded_before_the_start(engine: Callable[[RunPlan], RunResult]) -> None:
    plan = tiny_plan(Leg([CALM] * 6, [BUY]))
    late = replace(plan, start_ns=int(plan.bars[0].open_ns[4]))
    done = outcome(late, engine(late))
    assert done.filled() == [(4, 10, 100)], "what the agent said before counts as soon as trading begins"
