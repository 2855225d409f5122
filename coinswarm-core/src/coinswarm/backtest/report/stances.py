"""What each agent wanted over a run: kept while it runs, resolved for people afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.domain.action import ABSTAIN, ActionColumns, Side
from coinswarm.engine.actions import agent_columns
from coinswarm.engine.light import in_light_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.contracts import Vector, Vectors
    from coinswarm.domain.action import Action
    from coinswarm.domain.episode import Recollection
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.engine.plan import RunPlan
    from coinswarm.memory.recall.record import RecallRecord

    Column = np.ndarray[tuple[int], np.dtype[Any]]

Actions = list[list["ActionColumns | None"]]
"""Per instrument, per seat: its actions at every bar; None where nobody kept them."""


class Overheard(SignalAgent):
    """An agent that decides bar by bar, and what it answered."""

    def __init__(self, agent: SignalAgent) -> None:
        self._agent = agent
        self.answers: list[Action] = []

    def decide(self, state: MarketState) -> Action:
        """Ask the agent; an answer that it does not give counts as none."""
        self.answers.append(ABSTAIN)
        action = self._agent.decide(state)
        self.answers[-1] = action
        return action

    def learn(self, outcome: TradeOutcome) -> None:
        """Pass it on."""
        self._agent.learn(outcome)

    def embedding(self) -> str:
        """Pass it on."""
        return self._agent.embedding()

    def embed(self, state: MarketState) -> Vector | None:
        """Pass it on."""
        return self._agent.embed(state)

    def embed_all(self, bars: Bars) -> Vectors | None:
        """Pass it on."""
        return self._agent.embed_all(bars)

    def reconsider(self, action: Action, recalled: Sequence[Recollection]) -> Action:
        """Pass it on."""
        return self._agent.reconsider(action, recalled)

    def columns(self, bars: Bars) -> ActionColumns | None:
        """The answers as columns; None where they are not those of ``bars``."""
        return ActionColumns.from_actions(bars.instrument, self.answers) if len(self.answers) == len(bars) else None


def overhear(plan: RunPlan) -> RunPlan:
    """The same plan, its agents' answers kept; columnar agents can be asked again and are left as they are."""
    return replace(
        plan,
        seats=tuple(
            replace(seat, agents=tuple(a if isinstance(a, ColumnarAgent) else Overheard(a) for a in seat.agents))
            for seat in plan.seats
        ),
    )


def actions_of(plan: RunPlan, recall: RecallRecord | None = None) -> Actions:
    """What the agents of a plan that has run said, warm-up and holes masked, confidences as memory left them."""
    found: Actions = []
    for k, bars in enumerate(plan.bars):
        row: list[ActionColumns | None] = []
        for a, seat in enumerate(plan.seats):
            agent = seat.agents[k]
            columns = agent.columns(bars) if isinstance(agent, Overheard) else None
            if isinstance(agent, ColumnarAgent):
                columns, _ = agent_columns(agent, bars)
            if columns is not None:
                columns = in_light_of(recall, columns, bars, k, a)
            if columns is not None and seat.warm_up > 1:
                columns = columns.masked(bars.warming(plan.hole_bars, seat.warm_up))
            row.append(columns)
        found.append(row)
    return found


def stance(columns: ActionColumns, *, shortable: bool) -> tuple[Column, Column]:
    """The target in force at every bar, and whether the agent takes part (S1).

    :returns: int64[n], -10,000 (short) to 10,000 (long), direction times confidence; bool[n].
    """
    direction, confidence = columns.direction.astype(np.int64), columns.confidence_bp.astype(np.int64)
    present = confidence >= 0
    said = present & (direction != Side.HOLD)
    dropped = ~present & (direction == Side.ABSTAIN)
    wanted = np.where(said, direction * confidence, 0)
    if not shortable:
        wanted = np.maximum(wanted, 0)
    last = np.maximum.accumulate(np.where(said | dropped, np.arange(len(wanted)), -1))
    return np.where(last >= 0, wanted[np.maximum(last, 0)], 0), present


def correlation(series: Sequence[tuple[Column, Column]]) -> list[list[float | None]]:
    """Pearson correlation of each pair, where both count; None where one of them never moves.

    :param series: values and where they count, all of one length.
    """
    return [[_pair(one, other) for other in series] for one in series]


def _pair(one: tuple[Column, Column], other: tuple[Column, Column]) -> float | None:
    """The correlation of two series."""
    both = one[1] & other[1]
    x, y = (part[0][both].astype(np.float64) for part in (one, other))
    if len(x) < 2 or x.min() == x.max() or y.min() == y.max():  # noqa: PLR2004 - one point has no spread
        return None
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
