"""A50 to A70: with the agent in the session nobody's limits move, every fill is paid for, and nobody waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.action import ActionColumns, Side
from coinswarm.engine.steps import run_steps
from coinswarm.errors import CoinswarmError
from coinswarm_testkit.audit import audit
from coinswarm_testkit.bench import warm_up_of
from coinswarm_testkit.checks.agents_history import SLOW_BARS, settled
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.paths import regimes
from coinswarm_testkit.markets.plans import Scripted
from coinswarm_testkit.markets.seated import SHAPES, seated_bars, seated_plan
from coinswarm_testkit.replay import FIELDS
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped, Measured
from coinswarm_testkit.worker.sessions import ENGINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.market import Bars
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult
    from coinswarm_testkit.bench import Bench, Link
    from coinswarm_testkit.replay import Table

SESSIONS = 48
"""Plans that A50 runs, each by both engines."""

DECISIONS = 60
"""A60: decisions timed in a round."""

ROUNDS = 3
"""A60: the best round counts: another process may have held the cores in one of them."""

LOOP = 75_000
"""A60: additions of the calibrating loop; about a millisecond where the design's limits were set."""

P50_LOOPS, P99_LOOPS, MEAN_LOOPS = 10.0, 50.0, 10.0
"""A60: the design's 10 ms, 50 ms and 100 decisions a second, in loops."""


def limits_hold(bench: Bench) -> Measured:
    """A50: sessions in the agent's own process are, to the last order, those that the judge gets from its actions.

    The plugin shares its process with the gate and the exchange. Whatever it does to them shows as a
    difference to a run that it could not touch.
    """
    warm, orders = warm_up_of(bench), 0
    for number in range(SESSIONS):
        seed = SESSIONS * bench.seed + number
        bars = seated_bars(seed, min(warm, 2_000) + SLOW_BARS)
        plan, own = _judged(bench, seed, bars)
        orders += len(own.orders)
        for engine in ENGINES:
            found = _session(bench, seed, bars, engine, own)
            wrong = differences(found, own)
            if wrong:
                more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
                what = f"session {seed} by {engine} is not what the judge gets from its actions"
                message = f"{what}: {wrong[0]}{more}"
                raise CheckFailedError(message)
        _demand_kept(seed, plan, own)
    return Measured({"sessions": 2 * SESSIONS, "orders": orders})


def _demand_kept(seed: int, plan: RunPlan, own: RunResult) -> None:
    """The judge's own run keeps every numbered rule, by a third opinion."""
    broken = audit(plan, own).broken
    if broken:
        message = f"session {seed} breaks {broken[0]} in the judge's own run: report this to core"
        raise CheckFailedError(message)


def costs_charged(bench: Bench) -> Measured:
    """A70: in its own process every fill is charged, priced within the bar, adverse, and not before the next bar."""
    warm, fills = warm_up_of(bench), 0
    for number in range(len(SHAPES)):
        seed = SESSIONS * (bench.seed + 1) + number
        bars = seated_bars(seed, min(warm, 2_000) + SLOW_BARS)
        plan, own = _judged(bench, seed, bars)
        for engine in ENGINES:
            found = _session(bench, seed, bars, engine, own)
            fills += len(found.fills)
            broken = audit(plan, found).broken
            if broken:
                message = f"session {seed} by {engine} breaks {broken[0]}"
                raise CheckFailedError(message)
    return Measured({"fills": fills})


def _judged(bench: Bench, seed: int, bars: Sequence[Bars]) -> tuple[RunPlan, RunResult]:
    """What the judge makes of the agent's actions: its plan and its run, cached by seed.

    By the step engine, which needs no kernel: the judge would have to compile that each time.
    """
    kept = bench.kept.setdefault("sessions", {})
    if seed not in kept:
        tables = _standing(bench).ask("agents.said_all", histories=list(bars))
        scripts = [Scripted(columns_of(table)) for table in tables]
        plan = seated_plan(seed, bars, scripts, warm_up=warm_up_of(bench))
        kept[seed] = (plan, run_steps(plan))
    found: tuple[RunPlan, RunResult] = kept[seed]
    return found


def _session(bench: Bench, seed: int, bars: Sequence[Bars], engine: str, own: RunResult) -> RunResult:
    """The session in the agent's process, as a result of the same form as ``own``."""
    found = _standing(bench).ask("sessions.run", seed=seed, bars=list(bars), warm_up=warm_up_of(bench), engine=engine)
    try:
        return replace(own, **found)
    except (TypeError, CoinswarmError) as error:
        message = f"its session {seed} left no result: {error}"
        raise CheckFailedError(message) from None


def _standing(bench: Bench) -> Link:
    """One link for all sessions."""
    return bench.standing("sessions")


def columns_of(table: Table) -> ActionColumns:
    """A table of actions as columns."""
    kinds = (np.int8, np.int16, np.uint8, np.int32, np.int64, np.int64)
    return ActionColumns(*(table[:, place].astype(kind) for place, kind in enumerate(kinds)))


def stops_on_the_losing_side(bench: Bench) -> Measured:
    """A52: whoever wants a position says where it ends: a stop, nearer than the price itself."""
    bars = regimes(4 * SLOW_BARS + settled(bench), bench.seed)
    with bench.link() as link:
        rows = link.ask("agents.said", bars=bars)
    side, stop = rows[:, FIELDS.index("direction")], rows[:, FIELDS.index("stop_ticks")]
    present = rows[:, FIELDS.index("confidence_bp")] >= 0
    wanted = np.flatnonzero(present & ((side == Side.BUY) | (side == Side.SELL)))
    if not len(wanted):
        message = "it never wants a position on this market"
        raise CheckSkipped(message)
    reach = np.rint(bars.close / float(bars.instrument.tick))
    bad = wanted[(stop[wanted] <= 0) | (stop[wanted] >= reach[wanted])]
    if len(bad):
        row = int(bad[0])
        what = "has no stop" if stop[row] <= 0 else f"has its stop {stop[row]} ticks away, farther than the price"
        message = f"{Side(int(side[row])).name} at bar {row} {what} ({len(bad)} of {len(wanted)} bars)"
        raise CheckFailedError(message)
    return Measured({"wants": len(wanted)})


def quick_enough(bench: Bench) -> Measured:
    """A60: a decision takes less than 10 calibrated loops at the median and 50 at P99, and 100 fit in a second.

    A loop is ``LOOP`` additions, timed between the decisions of the same round: a slow machine gets as many
    loops as a fast one.
    """
    bars = regimes(2_000 + settled(bench), bench.seed)
    with bench.link() as link:
        rounds = link.ask("agents.latency", bars=bars, decisions=DECISIONS, rounds=ROUNDS, loop=LOOP)
    best = min(
        (
            [float(np.quantile(taken, q)) / float(np.median(loops)) for q in (0.5, 0.99)]
            + [float(np.mean(taken)) / float(np.median(loops))]
            for taken, loops in rounds
        ),
        key=lambda one: one[1],
    )
    names, limits = ("P50 loops", "P99 loops", "mean loops"), (P50_LOOPS, P99_LOOPS, MEAN_LOOPS)
    measured = Measured(
        {name: round(value, 3) for name, value in zip(names, best, strict=True)},
        {name: f"< {limit:g}" for name, limit in zip(names, limits, strict=True)},
    )
    for name, value, limit in zip(names, best, limits, strict=True):
        if value >= limit:
            message = f"a decision takes {value:.1f} {name}, not less than {limit:g}"
            raise CheckFailedError(message, measured)
    return measured


CHECKS = (
    Check("A50", "no limit moves while it is in the session", 3, limits_hold, safety=True),
    Check("A52", "a stop on the losing side, within reach", 3, stops_on_the_losing_side),
    Check("A60", "decisions are quick", 4, quick_enough),
    Check("A70", "every fill is paid for while it is in the session", 5, costs_charged, safety=True),
)
