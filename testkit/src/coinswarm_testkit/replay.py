"""What an agent says over a history, in integers; here or in a process of its own.

``python -m coinswarm_testkit.replay`` reads a request from standard input and writes one line per
bar: check A10 compares two such processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ActionColumns
from coinswarm.domain.market import Bars, MarketState
from coinswarm.engine.actions import agent_columns, moments
from coinswarm_testkit.markets.paths import MARKETS
from coinswarm_testkit.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def surroundings(**variables: str) -> dict[str, str]:
    """The environment of a process that finds the same modules as this one."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **variables}


def replayed_elsewhere(subject: Subject, market: str, n: int, seed: int, *, hash_seeds: Sequence[str]) -> list[Table]:
    """What fresh agents in fresh processes say, one per value of ``PYTHONHASHSEED``; run side by side.

    :raises RuntimeError: with the last line of its complaint when a process fails.
    """
    request = json.dumps({"subject": asdict(subject), "market": market, "n": n, "seed": seed})
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "coinswarm_testkit.replay"],
                    env=surroundings(PYTHONHASHSEED=hash_seed),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for hash_seed in hash_seeds
        ]
        answers = [process.communicate(request) for process in running]
    for process, (_, complaint) in zip(running, answers, strict=True):
        if process.returncode:
            last = (complaint.strip().splitlines() or ["no message"])[-1]
            message = f"the process that replays {subject.name} ended with {process.returncode}: {last}"
            raise RuntimeError(message)
    return [np.array(json.loads(answer), np.int64).reshape(-1, len(FIELDS)) for answer, _ in answers]


def main() -> None:
    """Answer one request: columns of a columnar agent, then what ``decide`` says at every bar."""
    request = json.load(sys.stdin)
    subject = Subject(**request["subject"])
    bars = MARKETS[request["market"]](request["n"], request["seed"])
    rows = decided(subject.agent(), bars)
    if isinstance(subject.agent(), ColumnarAgent):
        rows = np.concatenate([rows, said(subject.agent(), bars)])
    json.dump(rows.tolist(), sys.stdout)


if __name__ == "__main__":
    main()
