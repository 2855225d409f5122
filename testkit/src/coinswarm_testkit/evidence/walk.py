"""The control of recall itself: core's own memory on random walks, where nothing that is known helps.

Each path is run three times by core's session, with the same agent and the same constant size: without memory; with
core's memory as it is (``legal``); and with one that holds, from the first bar on, every episode of the path, those to
come and the decision's own included (``leaky``). What recall earns is the difference of daily returns to the run
without. Legal recall must earn nothing; the leaky one shows that the harness would find a leak.

Episodes are known too early in the leaky arm and in nothing else: neighbours, weights and bounds are core's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.domain.episode import Match
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.engine.memory import RunMemory
from coinswarm.engine.plan import RunPlan, SeatedAgent
from coinswarm.engine.steps import run_steps
from coinswarm.evidence.days import cut_days
from coinswarm.memory.recall.privatelog import PrivateLog
from coinswarm.runtime.memory import remembering
from coinswarm_testkit.evidence import desk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coinswarm.contracts import SignalAgent
    from coinswarm.domain.episode import Episode, Filter, LogPosition, Space
    from coinswarm.domain.market import Bars
    from coinswarm.engine.memory import Vector
    from coinswarm.engine.result import RunResult
    from coinswarm.memory.recall.estimate import Neighbour
    from coinswarm.memory.recall.rules import RecallRules
    from coinswarm.simulator.costs import Costs

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

ARMS = ("none", "legal", "leaky")
NEVER = (1 << 63) - 1
YEAR = 365


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """One path.

    :param returns: per arm, daily returns.
    :param recalls: of the legal arm; :param moved: those that changed a confidence.
    :param episodes: trades that became episodes.
    """

    returns: dict[str, Floats]
    recalls: int
    moved: int
    episodes: int

    def sharpe(self, arm: str) -> float:
        """Annualised Sharpe ratio of a run."""
        return annualised(self.returns[arm])

    def added(self, arm: str) -> float:
        """Annualised Sharpe ratio of what recall earns."""
        return annualised(self.returns[arm] - self.returns["none"])


def annualised(returns: Floats) -> float:
    """Mean ÷ standard deviation x √365; 0 where nothing moves (S22)."""
    spread = float(returns.std(ddof=1))
    return float(returns.mean()) / spread * math.sqrt(YEAR) if spread > 0.0 else 0.0


class _Shelf:
    """Exact search that keeps what it was told, to be told again."""

    def __init__(self) -> None:
        self.kept: list[tuple[Space, Episode, Vector]] = []

    def remember(self, space: Space, episode: Episode, vector: Vector, at: LogPosition) -> None:  # noqa: ARG002
        """Keep one."""
        self.kept.append((space, episode, vector))

    def nearest(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:  # noqa: ARG002
        """The nearest of all."""
        found = [(e.id, v) for _, e, v in self.kept if e.known_ns <= as_of_ns and where.admits(e)]
        if not found:
            return []
        distances = np.clip(1.0 - np.array([v for _, v in found], np.float64) @ vector.astype(np.float64), 0.0, 2.0)
        ranked = sorted(zip(distances.tolist(), (id_ for id_, _ in found), strict=True))
        return [Match(id_, distance) for distance, id_ in ranked[:k]]


class _Foreseeing(RunMemory):
    """Core's memory, but that outcomes are no secret."""

    def _neighbours(  # noqa: PLR0913 - as in the class above
        self, seat: int, side: int, space: Space, vector: Vector, as_of: int, now: int
    ) -> tuple[Neighbour, ...]:
        return super()._neighbours(seat, side, space, vector, NEVER if as_of else 0, now)


def walked(bars: Bars, agent: Callable[[], SignalAgent], rules: RecallRules, costs: Costs = desk.FREE) -> Walk:
    """One path in three arms.

    :param agent: makes a fresh agent that recalls.
    :param rules: but for the embargo, which is one bar.
    """
    made = agent()
    plain = RunPlan(
        bars=(bars,),
        seats=(SeatedAgent("judged", (made,), 10_000, made.warm_up()),),
        weigher=WeightedWeigher(),
        cash=desk.CASH,
        sizing=desk.SIZING,
        limits=desk.LIMITS,
        costs=costs,
    )
    recalling = replace(
        plain,
        seats=(replace(plain.seats[0], space="judged/state.1", reconsiders=False),),
        recall=replace(rules, embargo_ns=bars.length_ns),
    )
    deaf = replace(recalling, recall=replace(rules, embargo_ns=bars.length_ns, least_sample=math.inf))
    shelf = _Shelf()
    results = {"none": run_steps(deaf, RunMemory(deaf, shelf, PrivateLog(), "walk"))}
    with remembering(recalling, LocalMemory) as memory:
        results["legal"] = run_steps(recalling, memory)
    foreseeing = _Foreseeing(recalling, shelf, PrivateLog(), "walk")
    for space, episode, vector in shelf.kept:
        foreseeing.adopt(space, [episode], vector.reshape(1, -1))
    results["leaky"] = run_steps(recalling, foreseeing)
    recall = results["legal"].recall
    assert recall is not None, "it had a memory"
    moved = int(np.count_nonzero(recall.rows[:, 4] != 10_000))  # noqa: PLR2004 - a multiplier of 1
    return Walk({arm: _daily(result) for arm, result in results.items()}, len(recall.rows), moved, recall.episodes)


def _daily(result: RunResult) -> Floats:
    """Daily returns of a run."""
    return cut_days(result.times_ns, result.bar_ns, result.equity, result.exposure_units, result.cash).returns
