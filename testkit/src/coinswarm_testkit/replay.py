"""What an agent says over a history, in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.action import ActionColumns
from coinswarm.domain.market import Bars, MarketState
from coinswarm.engine.actions import agent_columns, moments

if TYPE_CHECKING:
    from coinswarm.contracts import SignalAgent
    from coinswarm.domain.action import Action

    Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]

FIELDS = ("direction", "confidence_bp", "reason", "size_bp", "stop_ticks", "take_ticks")
"""Columns of a table of actions."""


def table(columns: ActionColumns) -> Table:
    """Columns as int64[n, 6], ``FIELDS``."""
    return np.column_stack([getattr(columns, name).astype(np.int64) for name in FIELDS])


def said(agent: SignalAgent, bars: Bars) -> Table:
    """What core makes of an agent over a whole history: int64[n, 6].

    A columnar agent is asked once, any other bar by bar.
    """
    return table(agent_columns(agent, bars)[0])


def decided(agent: SignalAgent, bars: Bars, *, begin: int = 0, end: int | None = None) -> Table:
    """What ``decide`` answers at each bar, in order, of ``bars[begin:end]``: int64[m, 6].

    The agent sees a state that walks over the whole history, as in a backtest; exceptions are raised.
    """
    actions: list[Action] = []
    for row, state in enumerate(moments(MarketState(bars), bars)):
        if end is not None and row >= end:
            break
        if row >= begin:
            actions.append(agent.decide(state))
    return table(ActionColumns.from_actions(bars.instrument, actions))


def copied(bars: Bars, rows: slice) -> Bars:
    """Some of the bars in memory of their own: nothing else can be reached from them."""
    part = bars[rows]
    return Bars(
        part.instrument,
        part.length_ns,
        part.open_ns.copy(),
        part.open.copy(),
        part.high.copy(),
        part.low.copy(),
        part.close.copy(),
        part.volume.copy(),
    )
