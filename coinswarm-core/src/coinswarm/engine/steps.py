"""The step engine: one bar at a time through the reference exchange; the oracle of the columns.

The same ``Session`` runs a paper replay, where the bars come from a feed instead of arrays.
"""

from __future__ import annotations

import gc
from array import array
from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.committee.committee import Committee
from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ABSTAIN, INVALID_REASON, MAX_BP, MAX_TICKS, Side, checked
from coinswarm.domain.market import MarketState
from coinswarm.domain.order import EndReason
from coinswarm.engine.actions import NO_ACTION, agent_columns, first_fault
from coinswarm.engine.desk import Desk
from coinswarm.engine.result import (
    DECISION_FIELDS,
    FILL_FIELDS,
    ORDER_FIELDS,
    TRADE_FIELDS,
    Faults,
    RunResult,
    note_faults,
)
from coinswarm.engine.volatility import volatility_bp
from coinswarm.errors import one_line
from coinswarm.simulator.book import ORDER_ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coinswarm.domain.market import Bars
    from coinswarm.engine.memory import RunMemory, Tracker
    from coinswarm.engine.plan import RunPlan, SeatedAgent
    from coinswarm.engine.remembering import Remembering
    from coinswarm.simulator.reference import TickBar

Rounded = tuple[int, int, int, int, int]
FloatBar = tuple[float, float, float, float, float]
Arrival = tuple[int, int, "TickBar", FloatBar]
"""A closed bar: instrument, row, the bar in ticks and lots with its open time first, the bar in floats."""
Moment = tuple[int, "Sequence[Arrival]"]
"""An open time and all bars that have it, instruments in sorted order."""
_ABSTAIN: Rounded = (0, -1, 0, 0, 0)
_MASKED: Rounded = (int(Side.ABSTAIN), -1, 0, 0, 0)
_NEVER = (1 << 63) - 1
_NUMBERS = ("open", "high", "low", "close", "volume")
_CHUNK = 256
"""Bars that are made from the arrays at a time: few enough that their numbers stay in the processor's cache."""


def round_action(answer: object, tick: float) -> Rounded | None:
    """One answer of an agent in integers, by the rule of ``ActionColumns.of`` (S9); None if it is no valid action."""
    side, confidence, size, stop, take, reason = checked(answer)
    if reason == INVALID_REASON:
        return None
    if side == ABSTAIN.side:
        return _ABSTAIN
    if confidence < 0 or size < 0 or stop < 0 or take < 0:
        return None
    try:
        confidence_bp, size_bp = round(confidence * MAX_BP), round(size * MAX_BP)
        stop_ticks = (round(stop / tick) or 1) if stop else 0
        take_ticks = (round(take / tick) or 1) if take else 0
    except (ValueError, OverflowError):  # not finite
        return None
    if confidence_bp > MAX_BP or size_bp > MAX_BP or stop_ticks > MAX_TICKS or take_ticks > MAX_TICKS:
        return None
    return int(side), confidence_bp, size_bp, stop_ticks, take_ticks


class Voice:
    """One seat on one instrument: answers each closed bar with a rounded action."""

    __slots__ = (
        "_actions",
        "_columns",
        "_decide",
        "_invalid",
        "_last",
        "_length",
        "_rounded",
        "_state",
        "_tick",
        "_warming",
        "faults",
    )

    def __init__(self, seat: SeatedAgent, k: int, bars: Bars, hole_bars: int) -> None:
        agent = seat.agents[k]
        self._warming = bars.warming(hole_bars, seat.warm_up).tolist() if seat.warm_up > 1 else []
        self._tick = float(bars.instrument.tick)
        self._length = bars.length_ns
        self._state = MarketState(bars)
        self._last: object = self  # no answer yet: an agent may answer None
        self._rounded: Rounded = _ABSTAIN
        self._invalid = False
        self._decide = agent.decide
        self.faults = Faults()
        self._columns: Iterator[Rounded] | None = None
        if isinstance(agent, ColumnarAgent):  # S7: computed once, row t is read
            columns, self.faults = agent_columns(agent, bars)
            self._columns = zip(
                *(
                    getattr(columns, n).tolist()
                    for n in ("direction", "confidence_bp", "size_bp", "stop_ticks", "take_ticks")
                ),
                strict=True,
            )

    def at(self, index: int, open_ns: int, bar: FloatBar) -> Rounded:
        """The rounded action at row ``index``; warm-up and holes abstain (S6)."""
        if self._columns is not None:
            rounded = next(self._columns)
        else:
            state = self._state
            state.index, state.open_ns, state.time_ns = index, open_ns, open_ns + self._length
            state.open, state.high, state.low, state.close, state.volume = bar
            try:
                action = self._decide(state)
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it abstains and is counted
                self._count(one_line(error), open_ns)
                action = ABSTAIN
            if action is not self._last:
                self._last, self._rounded = action, self._round(action, open_ns)
            elif self._invalid:
                self._count(NO_ACTION, open_ns)
            rounded = self._rounded
        if self._warming and self._warming[index]:
            return _MASKED
        return rounded

    def _round(self, action: object, open_ns: int) -> Rounded:
        """What an answer comes to; one that is no valid action abstains and is counted."""
        rounded = round_action(action, self._tick)
        self._invalid = rounded is None
        if rounded is None:
            self._count(NO_ACTION, open_ns)
            return _ABSTAIN
        return rounded

    def _count(self, words: str, open_ns: int) -> None:
        """One more bar at which the agent did something wrong."""
        self.faults = Faults(self.faults.times + 1, self.faults.first or first_fault(words, open_ns))


class RecallingVoice(Voice):
    """A seat that recalls where its direction changes."""

    __slots__ = ("_tracker",)

    def __init__(self, seat: SeatedAgent, k: int, bars: Bars, hole_bars: int, tracker: Tracker) -> None:
        super().__init__(seat, k, bars, hole_bars)
        self._tracker = tracker

    def at(self, index: int, open_ns: int, bar: FloatBar) -> Rounded:
        """The rounded action, its confidence in the light of memory."""
        return self._tracker.heard(super().at(index, open_ns, bar), index, open_ns)


class Session:
    """A run in progress: feed it closed bars in time order, then ask for the result.

    :param plan: everything the run means; its ``bars`` are those that will come.
    :param memory: of a plan that recalls.
    """

    def __init__(self, plan: RunPlan, memory: Remembering | None = None) -> None:
        assert (memory is None) == (plan.recall is None), "a plan that recalls has a memory, and no other"
        self._plan = plan
        self._bar = plan.bar_ns
        self._memory = memory
        self.desk = Desk(plan, memory)
        self.exchange = self.desk.exchange
        self._trailing, self._start = plan.style.trailing, plan.start_ns
        self._seats = [_seats(plan, k, memory) for k in range(len(plan.bars))]
        published = plan.sizing.method == "published"
        self._volatility = [volatility_bp(bars).tolist() if published else [] for bars in plan.bars]
        self._funding = [_payments(plan, k) for k in range(len(plan.bars))]
        self._due = [next(payments, None) for payments in self._funding]
        self._has_funding = any(due is not None for due in self._due)
        self._times, self._equity, self._gross = array("q"), array("q"), array("q")

    def step(self, t: int, group: Sequence[Arrival]) -> None:
        """All bars that open at ``t``, closed by now.

        :param group: per instrument in sorted order: its index, the bar's row, the bar in ticks and
            lots (open time, open, high, low, close, volume), and in floats (open ... volume).
        """
        self.run(((t, group),))

    def run(self, moments: Iterable[Moment]) -> None:  # noqa: C901 - the order of events
        """``step`` for each moment; what a moment asks for is looked up once for all of them."""
        exchange, desk, seats = self.exchange, self.desk, self._seats
        holdings, wants, protections = exchange.holdings, desk.wants, desk.protections
        bar_ns, start_ns, has_funding, trailing = self._bar, self._start, self._has_funding, self._trailing
        watching, remembering = protections.watching, self._memory is not None
        mark_time, mark_equity, mark_gross = self._times.append, self._equity.append, self._gross.append
        for t, group in moments:
            busy = self._match(t, group) if exchange.working or has_funding else ()  # E1-E4
            for k, _, bar, _ in group:
                holdings[k].close = bar[4]
            equity, gross = exchange.cash, 0
            for holding in holdings:
                if lots := holding.lots:
                    worth = abs(lots) * holding.close * holding.num // holding.den
                    equity += worth if lots > 0 else -worth
                    gross += worth
            mark_time(t)  # E5
            mark_equity(equity)
            mark_gross(gross)
            now = t + bar_ns
            if watching:
                protections.mark(now, equity)
            if trailing:  # E6
                for k, bar in busy:
                    exchange.trail(k, bar)
            if remembering:
                desk.settle(now)
            for k, row, _, floats in group:
                voices, committee = seats[k]
                actions = []
                for voice in voices:
                    actions.append(voice.at(row, t, floats))  # noqa: PERF401 - a comprehension would be a call a bar
                intent = committee.intent if actions == committee.heard else committee.step(actions)
                if intent is not wants[k].intent and now >= start_ns:
                    volatility = self._volatility[k]
                    desk.decide(k, now, equity, intent, volatility[row] if volatility else 0)

    def _match(self, t: int, group: Sequence[Arrival]) -> list[tuple[int, TickBar]]:
        """E1-E4 for the instruments that have working orders; returns those."""
        exchange, holdings = self.exchange, self.exchange.holdings
        busy: list[tuple[int, TickBar]] = []
        for k, _, bar, _ in group:
            holding = holdings[k]
            if exchange.may_expire:
                exchange.expire(k, t)
            if self._has_funding:
                self._fund(k, t)
            if holding.working:
                busy.append((k, bar))
                exchange.open_bar(k, bar)
        for k, bar in busy:
            if holdings[k].working:
                exchange.inside_bar(k, bar)
        return busy

    def _fund(self, k: int, t: int) -> None:
        """E2: payments due at or before ``t``."""
        due = self._due[k]
        while due is not None and due[0] <= t:
            self.exchange.fund(k, due[1])
            due = self._due[k] = next(self._funding[k], None)

    def result(self) -> RunResult:
        """The record of what was fed so far."""
        plan, exchange = self._plan, self.exchange
        known = self._times[-1] + self._bar if self._times else 0
        for order in exchange.orders:  # E1 for orders whose time ran out after their last bar
            if order.end_reason == EndReason.WORKING and 0 < order.order.expire_ns <= known:
                exchange.cancel(order, order.order.expire_ns, EndReason.EXPIRED)
        symbols = [b.instrument.symbol for b in plan.bars]
        errors: dict[str, int] = {}
        first: dict[str, str] = {}
        for voices, _ in self._seats:
            for seat, voice in zip(plan.seats, voices, strict=True):
                note_faults(errors, first, seat.name, voice.faults)
        for name, found in self.desk.learn_faults.items():
            note_faults(errors, first, name, found)
        for name, found in self._memory.faults.items() if self._memory else ():
            note_faults(errors, first, name, found)
        trades: list[tuple[int, ...]] = [
            (
                symbols.index(t.instrument),
                t.side,
                t.opened_ns,
                t.closed_ns,
                t.lots,
                t.pnl,
                t.fees,
                t.risk,
                t.agree,
                t.stopped,
            )
            for t in self.desk.ledger.outcomes
        ]
        return RunResult(
            instruments=tuple(b.instrument for b in plan.bars),
            anchor_ns=plan.anchor_ns,
            bar_ns=self._bar,
            cash=plan.cash,
            orders=_table(map(ORDER_ROW, exchange.orders), len(exchange.orders), len(ORDER_FIELDS)),
            fills=_table(exchange.fills, len(exchange.fills), len(FILL_FIELDS)),
            reference=np.array(exchange.references, np.int64),
            times_ns=np.array(self._times),
            equity=np.array(self._equity),
            exposure_units=np.array(self._gross),
            decisions=_table(self.desk.decisions, len(self.desk.decisions), len(DECISION_FIELDS)),
            trade_rows=_table(trades, len(trades), len(TRADE_FIELDS)),
            costs={"fees": exchange.fees, "adverse": exchange.adverse, "funding": exchange.funding},
            seats=tuple(seat.name for seat in plan.seats),
            errors=errors,
            first_errors=first,
            recall=self._memory.record() if self._memory else None,
        )


def run_steps(plan: RunPlan, memory: RunMemory | None = None) -> RunResult:
    """Run a plan bar by bar through the reference exchange.

    :param memory: of a plan that recalls.
    """
    session = Session(plan, memory)
    collecting = gc.isenabled()
    gc.disable()  # a run makes millions of tuples and no cycles: looking for some grows with the run
    try:
        session.run(timeline(plan))
    finally:
        if collecting:
            gc.enable()
    return session.result()


def timeline(plan: RunPlan) -> Iterator[Moment]:
    """The union timeline: at each open time the bars that have it, instruments in sorted order."""
    instruments = range(len(plan.bars))
    if len(instruments) == 1:
        yield from zip(_opens(plan, 0), zip(_arrivals(plan, 0), strict=True), strict=True)
        return
    clocks = [chain(_opens(plan, k), repeat(_NEVER)) for k in instruments]
    streams = [_arrivals(plan, k) for k in instruments]
    opens = list(map(next, clocks))
    while (t := min(opens)) != _NEVER:
        if opens.count(t) == len(opens):
            group, opens = list(map(next, streams)), list(map(next, clocks))
        else:
            here = [k for k, opened in enumerate(opens) if opened == t]
            group = [next(streams[k]) for k in here]
            for k in here:
                opens[k] = next(clocks[k])
        yield t, group


def _opens(plan: RunPlan, k: int) -> Iterator[int]:
    """When the bars of one instrument open."""
    return chain.from_iterable(plan.ticks[k].open_ns[rows].tolist() for rows in _chunks(plan, k))


def _arrivals(plan: RunPlan, k: int) -> Iterator[Arrival]:
    """Bars of one instrument."""
    ticks, bars = plan.ticks[k], plan.bars[k]

    def part(rows: slice) -> Iterator[Arrival]:
        ints = zip(*(getattr(ticks, name)[rows].tolist() for name in ("open_ns", *_NUMBERS)), strict=True)
        floats = zip(*(getattr(bars, name)[rows].tolist() for name in _NUMBERS), strict=True)
        return zip(repeat(k, rows.stop - rows.start), range(rows.start, rows.stop), ints, floats, strict=True)

    return chain.from_iterable(map(part, _chunks(plan, k)))


def _chunks(plan: RunPlan, k: int) -> Iterator[slice]:
    """The rows of one instrument, as many as are converted at a time."""
    n = len(plan.bars[k])
    return (slice(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK))


def _seats(plan: RunPlan, k: int, memory: Remembering | None) -> tuple[list[Voice], Committee]:
    """Who decides about instrument ``k``."""
    bars = plan.bars[k]
    voices = []
    for a, seat in enumerate(plan.seats):
        tracker = memory.tracker(a, k) if memory else None
        voices.append(
            Voice(seat, k, bars, plan.hole_bars)
            if tracker is None
            else RecallingVoice(seat, k, bars, plan.hole_bars, tracker)
        )
    shortable, cap_ticks = bars.instrument.shortable, plan.cap_ticks(k)
    return voices, Committee(plan.weigher, plan.weights, plan.committee, shortable=shortable, cap_ticks=cap_ticks)


def _payments(plan: RunPlan, k: int) -> Iterator[tuple[int, int]]:
    """Funding payments of one instrument: time and rate."""
    funding = plan.funding.get(plan.bars[k].instrument.symbol)
    if funding is None:
        return iter(())
    return iter(zip(funding.times_ns.tolist(), funding.rate_ppb.tolist(), strict=True))


def _table(rows: Iterable[tuple[int, ...]], n: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Rows as int64[n, width]; also when there are none."""
    return np.fromiter(chain.from_iterable(rows), np.int64, n * width).reshape(n, width)
