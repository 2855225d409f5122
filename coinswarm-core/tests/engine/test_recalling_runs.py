"""Runs of the reference agent that recalls: vectors made at once or one by one, and had again without an index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.engine.columns import run_columns
from coinswarm.engine.light import in_light_of
from coinswarm.engine.steps import run_steps
from coinswarm.memory.recall.record import RECALL_FIELDS
from coinswarm.memory.recall.rules import RecallRules
from coinswarm.runtime.memory import remembering
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.plans import Scripted
from coinswarm_testkit.markets.seated import seated_bars, seated_plan
from coinswarm_testkit.markets.tiny import HOUR_NS
from coinswarm_testkit.reference.recalling import RecallingAgent

if TYPE_CHECKING:
    from coinswarm.domain.action import ActionColumns
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.engine.memory import Vector
    from coinswarm.engine.plan import RunPlan

RULES = RecallRules(embargo_ns=HOUR_NS, neighbours=20)
TRADING = (0, 4, 6, 9, 10)
"""Seeds of drawn plans under whose rules the reference agent trades."""


class Columns(RecallingAgent):
    """The reference agent, its vectors made at once."""

    def embed_all(self, bars: Bars) -> Any:  # noqa: ANN401
        from coinswarm.domain.market import MarketState as State  # noqa: PLC0415

        found = [RecallingAgent.embed(self, State.at(bars, row)) for row in range(len(bars))]
        return np.stack([np.zeros(3, np.float32) if one is None else one for one in found])

    def embed(self, state: MarketState) -> Vector | None:
        raise AssertionError(state)


class Short(RecallingAgent):
    """Answers with too few rows."""

    def embed_all(self, bars: Bars) -> Any:  # noqa: ANN401
        return np.ones((len(bars) - 1, 3), np.float32)


def recalling(plan: RunPlan, rules: RecallRules = RULES) -> RunPlan:
    """The same plan, its seat recalling."""
    return replace(
        plan,
        seats=tuple(replace(seat, space="recalling/state.1", reconsiders=True) for seat in plan.seats),
        recall=rules,
    )


def test_vectors_made_at_once_are_those_made_one_by_one() -> None:
    bars = seated_bars(3, 800)
    results = []
    for kind in (RecallingAgent, Columns):
        plan = recalling(seated_plan(3, bars, [kind() for _ in bars], warm_up=101))
        with remembering(plan, LocalMemory) as memory:
            results.append(run_steps(plan, memory))
    assert differences(*results) == []
    assert results[0].recall is not None
    assert results[1].recall is not None
    assert np.array_equal(results[0].recall.neighbours, results[1].recall.neighbours)
    plan = recalling(seated_plan(3, bars, [Short() for _ in bars], warm_up=101))
    with remembering(plan, LocalMemory) as memory:
        broken = run_steps(plan, memory)
    assert "rows" in broken.first_errors["judged"] or "bars" in broken.first_errors["judged"]


@pytest.mark.parametrize("seed", TRADING)
def test_a_run_is_had_again_without_an_index_from_its_recorded_multipliers(seed: int) -> None:
    bars = seated_bars(seed, 1_200)
    plain = seated_plan(seed, bars, [RecallingAgent() for _ in bars], warm_up=101)
    plan = recalling(plain)
    with remembering(plan, LocalMemory) as memory:
        result = run_columns(plan, memory)
    with remembering(plan, LocalMemory) as memory:
        again = run_steps(plan, memory)
    assert differences(result, again) == []
    record = result.recall
    assert record is not None
    assert again.recall is not None
    for table in ("rows", "neighbours", "ids"):
        assert np.array_equal(getattr(record, table), getattr(again.recall, table))
    played = [
        Scripted(in_light_of(record, said(agent, bars[k], plan.hole_bars), bars[k], k, 0))
        for k, agent in enumerate(plain.seats[0].agents)
    ]
    alone = replace(plain, seats=(replace(plain.seats[0], agents=tuple(played), warm_up=0),))
    assert differences(result, run_columns(alone)) == []


def said(agent: SignalAgent, bars: Bars, hole_bars: int) -> ActionColumns:
    """The columns of an agent, warm-up and holes masked."""
    assert isinstance(agent, ColumnarAgent)
    return agent.decide_all(bars).masked(bars.warming(hole_bars, 101))


def test_memory_that_says_something_says_it_in_some_of_these_runs() -> None:
    moved = 0
    for seed in TRADING[:3]:
        bars = seated_bars(seed, 1_200)
        plan = recalling(seated_plan(seed, bars, [RecallingAgent() for _ in bars], warm_up=101))
        with remembering(plan, LocalMemory) as memory:
            result = run_steps(plan, memory)
        assert result.recall is not None
        moved += int(np.count_nonzero(result.recall.rows[:, RECALL_FIELDS.index("multiplier_bp")] != 10_000))
    assert moved > 20


def test_a_record_of_nothing_leaves_what_was_said() -> None:
    bars = seated_bars(1, 300)[0]
    columns = RecallingAgent().decide_all(bars)
    assert in_light_of(None, columns, bars, 0, 0) is columns


def test_a_memory_that_abstains_changes_nothing() -> None:
    for seed in TRADING[:3]:
        bars = seated_bars(seed, 700)
        agents = [RecallingAgent() for _ in bars]
        plain = seated_plan(seed, bars, agents, warm_up=101)
        deaf = recalling(plain, rules=replace(RULES, least_sample=1_000.0))
        with remembering(deaf, LocalMemory) as memory:
            result = run_steps(deaf, memory)
        assert differences(run_columns(plain), result) == []
        assert result.recall is not None
        assert len(result.recall.rows) == result.recall.abstained > 0
