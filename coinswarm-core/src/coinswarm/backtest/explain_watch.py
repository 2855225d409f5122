"""A run executed again, watched at chosen moments: what the agents said, and what the desk saw and did.

The agents are asked once, over all bars, as the columnar engine asks them; their answers are then played to
the step session, whose desk is looked at from inside. The order hash tells whether it was the same run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.committee.columns import IntentColumns, stances
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.domain.intent import FLAT_INTENT, Intent
from coinswarm.domain.order import EndReason
from coinswarm.engine.actions import agent_columns
from coinswarm.engine.columns import form_intents
from coinswarm.engine.desk import Desk, guard_of
from coinswarm.engine.light import in_light_of
from coinswarm.engine.remembering import Recorded
from coinswarm.engine.steps import Session, timeline
from coinswarm.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.domain.action import Action, ActionColumns
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult
    from coinswarm.engine.steps import Arrival
    from coinswarm.memory.recall.record import RecallRecord

    Column = np.ndarray[tuple[int], np.dtype[Any]]
    Table = np.ndarray[tuple[int, int], np.dtype[Any]]

Moment = tuple[int, int]
"""Instrument, and the row of its bar."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What one seat said on one instrument over all bars.

    :param said: as the agent answered.
    :param played: the same, confidences as memory left them.
    :param counted: the same, warm-up and holes masked.
    :param warming: bool[n], where core masks.
    :param raised: row -> the exception in one line.
    """

    said: ActionColumns
    played: ActionColumns
    counted: ActionColumns
    warming: Column
    raised: dict[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """One instrument's committee over all bars.

    :param heard: per seat.
    :param direction, confidence: ``committee.columns.stances``: HOLD resolved; -1 abstains.
    :param intents: what the committee made of them.
    :param weighed: int64[n, 2], exposure and participation by a weigher that is not the bundled one; None: it is.
    """

    heard: tuple[Heard, ...]
    direction: Table
    confidence: Table
    intents: IntentColumns
    weighed: Table | None


@dataclass(slots=True, kw_only=True)
class DeskView:
    """The desk and the account at one decision, before it acted; then what it did.

    :param now: when the bar was known.
    :param equity, cash: money units; ``close`` in ticks, ``lots`` signed.
    :param want_side, want_strength: what it wanted before.
    :param blocked, blocked_until: the side that a protective exit closed (D5); 0: none.
    :param others: worth of all other positions and working entries; ``guard``: trigger of the stop that stands, or 0.
    :param target: lots that sizing comes to; -1 where nothing is to be sized.
    :param record: wins, losses, won, lost of every seat, in basis points of trades and of R.
    :param peak: high-water mark of equity; ``breaker_until`` and ``guard_until``: 0 or when they close.
    :param day_start, day_loss, trades_today: of the daily limits.
    :param asked: whether the desk was asked at all; it is not while an intent keeps its side.
    :param row: the decision it noted (``DECISION_FIELDS``), if any.
    :param sent, withdrawn: numbers of orders.
    """

    now: int
    equity: int
    cash: int
    close: int
    lots: int
    want_side: int
    want_strength: int
    blocked: int
    blocked_until: int
    others: int
    guard: int
    target: int
    volatility_bp: int
    record: tuple[tuple[int, int, int, int], ...]
    peak: int
    breaker_until: int
    guard_until: int
    day_start: int
    day_loss: int
    trades_today: int
    asked: bool = True
    row: tuple[int, ...] | None = None
    sent: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A run executed again.

    :param result: its record.
    :param voices: per instrument; None for those at which nobody wanted to look.
    :param views: what the desk saw and did at the chosen moments.
    """

    result: RunResult
    voices: tuple[Voices | None, ...]
    views: dict[Moment, DeskView] = field(default_factory=dict)


class _Witness(SignalAgent):
    """An agent that decides bar by bar, and where it raised."""

    def __init__(self, agent: SignalAgent) -> None:
        self._agent = agent
        self.raised: dict[int, str] = {}

    def decide(self, state: MarketState) -> Action:
        """Ask the agent, and keep what it raises."""
        try:
            return self._agent.decide(state)
        except Exception as error:
            self.raised[state.index] = one_line(error)
            raise


class _Told(ColumnarAgent):
    """Repeats what was said."""

    def __init__(self, columns: ActionColumns) -> None:
        self._columns = columns

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The columns as they are."""
        assert len(bars) == len(self._columns), "an agent is asked about its own instrument"
        return self._columns


class _WatchedDesk(Desk):
    """Looks around before it acts at the chosen moments."""

    def __init__(self, plan: RunPlan, wanted: set[tuple[int, int]], memory: Recorded | None) -> None:
        super().__init__(plan, memory)
        self.wanted = wanted
        self.seen: dict[tuple[int, int], DeskView] = {}

    def decide(self, k: int, now: int, equity: int, intent: Intent, volatility_bp: int) -> None:
        """Look, act, and keep what came of it."""
        if (k, now) not in self.wanted:
            super().decide(k, now, equity, intent, volatility_bp)
            return
        view = self.look(k, now, equity, intent, volatility_bp)
        exchange = self.exchange
        orders, notes, working = len(exchange.orders), len(self.decisions), list(exchange.holdings[k].working)
        super().decide(k, now, equity, intent, volatility_bp)
        view.sent = tuple(range(orders, len(exchange.orders)))
        view.withdrawn = tuple(order.seq for order in working if order.end_reason != EndReason.WORKING)
        view.row = self.decisions[notes] if len(self.decisions) > notes else None
        self.seen[k, now] = view

    def look(self, k: int, now: int, equity: int, intent: Intent, volatility_bp: int) -> DeskView:
        """The account as it stands."""
        holding, want, record, guards = self.exchange.holdings[k], self.wants[k], self.record, self.protections
        target = -1
        if intent.exposure_bp:
            target = self._sizer.lots(k, holding.scale, holding.close, equity, intent, volatility_bp)
        return DeskView(
            now=now,
            equity=equity,
            cash=self.exchange.cash,
            close=holding.close,
            lots=holding.lots,
            want_side=want.side,
            want_strength=want.strength,
            blocked=want.blocked,
            blocked_until=want.blocked_until,
            others=self._others(k),
            guard=guard_of(holding, (intent.exposure_bp > 0) - (intent.exposure_bp < 0)),
            target=target,
            volatility_bp=volatility_bp,
            record=tuple(zip(record.wins, record.losses, record.won, record.lost, strict=True)),
            peak=guards.peak,
            breaker_until=guards.breaker_until,
            guard_until=guards.guard_until,
            day_start=guards.day_start,
            day_loss=guards.day_loss(equity),
            trades_today=guards.trades_today,
        )


class _WatchedSession(Session):
    """A session whose desk looks around."""

    def __init__(
        self,
        plan: RunPlan,
        wanted: set[tuple[int, int]],
        voices: tuple[Voices | None, ...],
        memory: Recorded | None,
    ) -> None:
        super().__init__(plan, memory)
        self.desk = self.watched = _WatchedDesk(plan, wanted, memory)
        self.exchange = self.desk.exchange
        self._bar_ns = plan.bar_ns
        self._heard = voices

    def step(self, t: int, group: Sequence[Arrival]) -> None:
        """Step; where the desk was not asked, look afterwards."""
        super().step(t, group)
        now, desk = t + self._bar_ns, self.watched
        for k, index, _, _ in group:
            voices = self._heard[k]
            if (k, now) in desk.wanted and (k, now) not in desk.seen and voices is not None:
                equity = self.exchange.cash + sum(holding.value() for holding in self.exchange.holdings)
                view = desk.look(k, now, equity, intent_at(voices.intents, index), 0)
                view.asked = False
                desk.seen[k, now] = view


def watch(plan: RunPlan, moments: Iterable[Moment], recall: RecallRecord | None = None) -> Watched:
    """Execute ``plan`` again and look at it at ``moments``.

    :param plan: fresh from assembly: its agents have seen nothing yet.
    :param recall: what the run recalled; it is not recalled again.
    """
    chosen = sorted(set(moments))
    heard = [[_hear(plan, k, seat, recall) for seat in range(len(plan.seats))] for k in range(len(plan.bars))]
    told = replace(
        plan,
        recall=plan.recall if recall else None,
        seats=tuple(
            replace(seat, agents=tuple(_Told(heard[k][a].played) for k in range(len(plan.bars))))
            for a, seat in enumerate(plan.seats)
        ),
    )
    looked_at = {k for k, _ in chosen}
    voices = tuple(_voices(plan, k, tuple(heard[k])) if k in looked_at else None for k in range(len(plan.bars)))
    wanted = {(k, int(plan.bars[k].open_ns[row]) + plan.bar_ns): (k, row) for k, row in chosen}
    session = _WatchedSession(told, set(wanted), voices, Recorded(recall) if recall else None)
    for t, group in timeline(told):
        session.step(t, group)
    views = {wanted[place]: view for place, view in session.watched.seen.items()}
    return Watched(session.result(), voices, views)


def intent_at(intents: IntentColumns, row: int) -> Intent:
    """The intent in force at one bar; flat before the first."""
    if row < 0:
        return FLAT_INTENT
    return Intent(*(int(column[row]) for column in intents))


def _hear(plan: RunPlan, k: int, a: int, recall: RecallRecord | None) -> Heard:
    """Ask one seat about one instrument."""
    seat, bars = plan.seats[a], plan.bars[k]
    agent = seat.agents[k]
    raised: dict[int, str] = {}
    if isinstance(agent, ColumnarAgent):
        said, _ = agent_columns(agent, bars)
    else:
        witness = _Witness(agent)
        said, _ = agent_columns(witness, bars)
        raised = witness.raised
    warming = bars.warming(plan.hole_bars, seat.warm_up) if seat.warm_up > 1 else np.zeros(len(bars), np.bool_)
    played = in_light_of(recall, said, bars, k, a)
    return Heard(said, played, played.masked(warming), warming, raised)


def _voices(plan: RunPlan, k: int, heard: tuple[Heard, ...]) -> Voices:
    """The committee of one instrument over all bars."""
    counted = [one.counted for one in heard]
    direction, confidence = stances(counted, shortable=plan.bars[k].instrument.shortable)
    intents = IntentColumns.empty(len(plan.bars[k]))
    form_intents(plan, k, counted, intents)
    weighed = None
    if type(plan.weigher) is not WeightedWeigher:
        answers = plan.weigher.weigh_all(direction, confidence, plan.weights)
        weighed = np.array(answers, np.int64).reshape(-1, 2)
    return Voices(heard, direction, confidence, intents, weighed)
