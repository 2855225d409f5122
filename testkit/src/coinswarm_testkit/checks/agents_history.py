"""A10 to A40: a signal agent's answers are a function of the bars so far, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.market import Bars
from coinswarm_testkit.bench import warm_up_of
from coinswarm_testkit.checks.check import Check, demand_equal
from coinswarm_testkit.checks.pure import ELSEWHERE, HERE
from coinswarm_testkit.markets.paths import gapped, regimes
from coinswarm_testkit.replay import FIELDS, copied
from coinswarm_testkit.verdicts import CheckSkipped, Measured

if TYPE_CHECKING:
    from coinswarm_testkit.bench import Bench, Link
    from coinswarm_testkit.replay import Table

BARS = 800
"""Bars of the histories that a columnar agent is truncated over."""

SLOW_BARS = 240
"""The same for an agent that decides bar by bar: every truncation is a whole run of it."""

CUTS = 24
"""How many futures are shuffled."""

SETTLED_BARS = 400
"""Bars compared after the warm-up."""

TOLERANCE = {"direction": 0, "confidence_bp": 1, "reason": 0, "size_bp": 1, "stop_ticks": 1, "take_ticks": 1}
"""A40: what is left of where a recursive indicator began may turn a rounding by one unit, no more."""


def settled(bench: Bench) -> int:
    """Bars to pass before an agent has something to say: before that nobody sees what it does."""
    return warm_up_of(bench)


def replay_determinism(bench: Bench) -> None:
    """A10: two fresh agents in two processes with different hash seeds, time zones and locales, identical actions."""
    bars = regimes(SLOW_BARS + settled(bench), bench.seed)
    tables: list[Table] = []
    for environment in (HERE, ELSEWHERE):
        with bench.link(**environment) as link:
            walked = link.ask("agents.decided", bars=bars, begin=len(bars) - SLOW_BARS)
            tables.append(np.concatenate([walked, link.ask("agents.said", bars=bars)]))
    demand_equal(tables[0], tables[1], what="two processes with other hash seeds, time zones and locales")


def runs_do_not_leak(bench: Bench) -> None:
    """A15: a fresh agent answers the same whatever other agents saw before it in the same process."""
    first, between = (regimes(SLOW_BARS + settled(bench), bench.seed + number) for number in range(2))
    with bench.link() as link:
        before = _walked_and_said(link, first)
        _walked_and_said(link, between)
        after = _walked_and_said(link, first)
    demand_equal(after, before, what="a fresh agent before and after another run in its process")


def _walked_and_said(link: Link, bars: Bars) -> Table:
    """What two fresh agents say over one history, one of them bar by bar at its end."""
    walked = link.ask("agents.decided", bars=bars, begin=len(bars) - SLOW_BARS)
    return np.concatenate([walked, link.ask("agents.said", bars=bars)])


def snapshot_continues(bench: Bench) -> None:
    """A20: an agent restored from a snapshot goes on as the one that was never stopped."""
    bars = regimes(settled(bench) + SLOW_BARS, bench.seed)
    half = len(bars) - SLOW_BARS // 2
    with bench.link() as link:
        unbroken = link.ask("agents.decided", bars=bars)[half:]
    with bench.alone() as link:
        link.make("stopped")
        link.ask("agents.decided", bars=bars, end=half, key="stopped")
        data = link.call("snapshot", key="stopped")
    with bench.alone() as link:
        link.make("resumed")
        link.call("restore", data, key="resumed")
        resumed = link.ask("agents.decided", bars=bars, begin=half, key="resumed")
    demand_equal(resumed, unbroken, what="restored and unbroken agent", first=half)


def decide_equals_columns(bench: Bench) -> None:
    """A25: ``decide`` is the row of ``decide_all`` at every bar, whether or not later bars are in memory."""
    if not bench.facts()["columnar"]:
        message = "it writes no columns"
        raise CheckSkipped(message)
    for bars in (market(SLOW_BARS + settled(bench), bench.seed) for market in (regimes, gapped)):
        begin = len(bars) - SLOW_BARS
        with bench.link() as link:
            link.make("alone")
            alone = [
                link.ask("agents.decided_at", bars=copied(bars, slice(row + 1)), key="alone")
                for row in range(begin, len(bars))
            ]
        with bench.link() as link:
            columns = link.ask("agents.said", bars=bars)[begin:]
            walking = link.ask("agents.decided", bars=bars, begin=begin)
        demand_equal(walking, columns, what="decide and decide_all", first=begin)
        cut = np.concatenate(alone)
        demand_equal(cut, columns, what="decide on a truncated history and decide_all", first=begin)


def truncation(bench: Bench) -> Measured:
    """A30: at every bar after the warm-up, the answer is the same when history ends there.

    The shorter histories are shown first and in another place than the whole one, so that no agent can
    remember what came after.
    """
    first = settled(bench)
    bars = regimes(first + (BARS if bench.facts()["columnar"] else SLOW_BARS), bench.seed)
    with bench.link() as link:
        cut = np.array([link.ask("agents.last", bars=copied(bars, slice(row + 1))) for row in range(first, len(bars))])
    with bench.link() as link:
        whole = link.ask("agents.said", bars=bars)[first:]
    demand_equal(cut, whole, what="history that ends at a bar and history that goes on", first=first)
    return Measured({"bars": len(cut)})


def shuffled_future(bench: Bench) -> Measured:
    """A32: another order and another scale of what comes after a bar leave everything up to it unchanged."""
    first = settled(bench)
    bars = regimes(first + BARS, bench.seed)
    rng = np.random.default_rng(bench.seed)
    cuts = sorted(rng.choice(np.arange(first + 1, len(bars) - 1), CUTS, replace=False).tolist())
    with bench.link() as link:
        changed = [link.ask("agents.said", bars=_with_future(bars, cut, rng)) for cut in cuts]
    with bench.link() as link:
        whole = link.ask("agents.said", bars=bars)
    for cut, found in zip(cuts, changed, strict=True):
        demand_equal(found[:cut], whole[:cut], what=f"the true future and one changed from bar {cut} on")
    return Measured({"futures": len(cuts)})


def warm_up_suffices(bench: Bench) -> Measured:
    """A40: after the declared warm-up, ten times as much of it would change nothing."""
    warm = warm_up_of(bench)
    if not warm:
        message = "it declares no warm-up"
        raise CheckSkipped(message)
    bars = regimes(10 * warm + SETTLED_BARS, bench.seed)
    with bench.link() as link:
        short = link.ask("agents.said", bars=copied(bars, slice(9 * warm, None)))[warm:]
        long = link.ask("agents.said", bars=bars)[10 * warm :]
    allowed = np.array([TOLERANCE[name] for name in FIELDS])
    near = np.where(np.abs(long - short) <= allowed, long, short)
    demand_equal(near, long, what=f"warm-up of {warm} and of {10 * warm} bars", first=10 * warm)
    return Measured({"warm-up": warm})


def _with_future(bars: Bars, cut: int, rng: np.random.Generator) -> Bars:
    """The same bars up to ``cut``, then the rest in another order and at 0.6 or 1.7 times the price."""
    order = np.concatenate([np.arange(cut), cut + rng.permutation(len(bars) - cut)])
    scale = np.where(np.arange(len(bars)) < cut, 1.0, float(rng.choice([0.6, 1.7])))
    return Bars(
        bars.instrument,
        bars.length_ns,
        bars.open_ns,
        bars.open[order] * scale,
        bars.high[order] * scale,
        bars.low[order] * scale,
        bars.close[order] * scale,
        bars.volume[order],
    )


CHECKS = (
    Check("A10", "two processes, one stream, identical actions", 1, replay_determinism),
    Check("A15", "runs in one process do not touch each other", 1, runs_do_not_leak),
    Check("A20", "snapshot and restore continue identically", 1, snapshot_continues),
    Check("A25", "decide equals decide_all at every bar", 1, decide_equals_columns),
    Check("A30", "no look-ahead: truncation at every bar", 3, truncation, safety=True),
    Check("A32", "no look-ahead: a changed future leaves the past alone", 3, shuffled_future, safety=True),
    Check("A40", "the declared warm-up suffices", 2, warm_up_suffices),
)
