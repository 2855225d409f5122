"""Contender: Coinswarm. ``ours.py ENGINE AGENT WORK [BARS]``; started by the rows' scripts.

ENGINE is ``columns`` or ``steps``; AGENT ``columnar``,
``stepwise``, ``scripted`` or ``idle``; WORK ``w1`` or ``w2``. The making of the plan (floats to
ticks) is loading; the run is from the agents' first look to the result: orders, fills, trades, decisions and the
equity curve.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import without_scipy  # noqa: F401 - before numba
from data import BARS, load
from work import Columnar, Scripted, Stepwise, facts, instruments, plan, script, seat
from worker import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.contracts import SignalAgent
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult


def main() -> None:
    """Serve the contender that the command line names."""
    engine, agent, work = sys.argv[1:4]
    bars = int(sys.argv[4]) if sys.argv[4:] and sys.argv[4].isdigit() else BARS
    execute: Callable[[RunPlan], RunResult]
    if engine == "steps":
        from coinswarm.engine.steps import run_steps as execute  # noqa: PLC0415 - a process loads what it measures
    else:
        from coinswarm.engine.columns import run_columns as execute  # noqa: PLC0415
    columns = load(work, bars)
    make: Callable[[], SignalAgent]
    if agent in {"columnar", "stepwise"}:
        make = {"columnar": Columnar, "stepwise": Stepwise}[agent]
    else:
        lines = script(columns, agent)
        make = lambda: Scripted(lines)  # noqa: E731
    given = instruments(columns)
    first = plan(given, [make() for _ in given])

    def prepare() -> RunPlan:
        """The same plan with fresh agents: those of a run that was remember what they saw."""
        return replace(first, seats=(seat([make() for _ in given]),))

    serve(prepare, lambda anew: facts(execute(anew)))


if __name__ == "__main__":
    main()
