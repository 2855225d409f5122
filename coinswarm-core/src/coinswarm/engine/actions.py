"""What the agents say over a whole run, as integer columns with warm-up and holes masked (S6, S7, S9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.clock import iso
from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ABSTAIN, INVALID_REASON, ActionColumns
from coinswarm.domain.market import MarketState
from coinswarm.engine.result import Faults
from coinswarm.errors import ContractError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coinswarm.contracts import SignalAgent
    from coinswarm.domain.action import Action
    from coinswarm.domain.market import Bars
    from coinswarm.engine.plan import RunPlan


_NOTHING = object()
"""No answer yet: an agent may answer None."""


NO_ACTION = "it answered with no valid action"


def action_columns(plan: RunPlan) -> tuple[list[list[ActionColumns]], list[tuple[str, Faults]]]:
    """Per instrument, per seat, the seat's columns; and what each seat did wrong, instrument by instrument.

    A columnar agent is asked once; any other is asked bar by bar, in order, which is the same by
    contract: its decisions depend on market history only.
    """
    faults: list[tuple[str, Faults]] = []
    table: list[list[ActionColumns]] = []
    for k, bars in enumerate(plan.bars):
        row = []
        for seat in plan.seats:
            columns, found = agent_columns(seat.agents[k], bars)
            faults.append((seat.name, found))
            warm_up = seat.warm_up
            row.append(columns.masked(bars.warming(plan.hole_bars, warm_up)) if warm_up > 1 else columns)
        table.append(row)
    return table, faults


def agent_columns(agent: SignalAgent, bars: Bars) -> tuple[ActionColumns, Faults]:
    """One agent's columns over ``bars``, and at which bars it raised or its answer was no valid action.

    :raises ContractError: when ``decide_all`` raises, or answers with anything but its columns.
    """
    if isinstance(agent, ColumnarAgent):
        columns = _columnar(agent, bars)
        return columns, _faults(bars, columns, {})
    distinct: list[Action] = []  # an agent that answers with the same object is rounded once
    rows: list[int] = []
    last: object = _NOTHING
    raised: dict[int, str] = {}
    decide = agent.decide
    state = MarketState(bars)
    for moment in moments(state, bars):
        try:
            action = decide(moment)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it abstains and is counted
            raised[moment.index] = one_line(error) if not raised else ""
            action = ABSTAIN
        if action is not last:
            distinct.append(action)
            last = action
        rows.append(len(distinct) - 1)
    columns = ActionColumns.from_actions(bars.instrument, distinct)[np.array(rows, np.int64)]
    return columns, _faults(bars, columns, raised)


def _columnar(agent: ColumnarAgent, bars: Bars) -> ActionColumns:
    """What ``decide_all`` answers, judged."""
    name = f"{type(agent).__name__}.decide_all"
    remedy = "return ActionColumns.of(...) with one row per bar"
    try:
        columns: object = agent.decide_all(bars)
    except Exception as error:
        message = f"{name} raised {one_line(error)}"
        raise ContractError(message, remedy="its author must mend it") from error
    if not isinstance(columns, ActionColumns):
        message = f"{name} answered {type(columns).__name__} for {len(bars)} bars"
        raise ContractError(message, remedy=remedy)
    problem = columns.problem(len(bars))
    if problem:
        message = f"{name}: {problem}"
        raise ContractError(message, remedy=remedy)
    return columns


def _faults(bars: Bars, columns: ActionColumns, raised: dict[int, str]) -> Faults:
    """Bars at which an agent raised, or abstains because its answer was none; the first of them in words."""
    invalid = np.flatnonzero(columns.reason == INVALID_REASON)
    firsts = [(row, words) for row, words in raised.items() if words] + [(int(row), NO_ACTION) for row in invalid[:1]]
    if not firsts:
        return Faults()
    row, words = min(firsts)
    return Faults(len(raised) + len(invalid), first_fault(words, int(bars.open_ns[row])))


def first_fault(words: str, open_ns: int) -> str:
    """A fault in words, with the bar that it happened at."""
    return f"{words} (bar of {iso(open_ns)})"


def moments(state: MarketState, bars: Bars) -> Iterator[MarketState]:
    """Move ``state`` over ``bars``, one closed bar at a time, yielding it at each."""
    length, chunk = bars.length_ns, 65_536
    index = 0
    for start in range(0, len(bars), chunk):
        part = bars[start : start + chunk]
        rows = zip(
            part.open_ns.tolist(),
            part.open.tolist(),
            part.high.tolist(),
            part.low.tolist(),
            part.close.tolist(),
            part.volume.tolist(),
            strict=True,
        )
        for state.open_ns, state.open, state.high, state.low, state.close, state.volume in rows:
            state.index = index
            state.time_ns = state.open_ns + length
            yield state
            index += 1
