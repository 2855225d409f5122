"""A45 to A49: a signal agent answers with numbers that mean something, on any market, and leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.action import INVALID_REASON, MAX_BP, Side
from coinswarm_testkit.checks.agents_history import SLOW_BARS, settled
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.markets.paths import MARKETS, regimes
from coinswarm_testkit.replay import FIELDS
from coinswarm_testkit.verdicts import CheckFailedError, Measured, PluginRaisedError

if TYPE_CHECKING:
    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.replay import Table

GROWTH_BARS = 300
"""A48: bars between two readings of an agent's memory."""

GROWTH_READINGS = 5
"""A48: readings; the first is not compared, because whoever fills a window once has not filled it yet."""

GROWTH_BYTES = 8
"""A48: one number a bar, kept for ever, is this much at least."""


def finite_everywhere(bench: Bench) -> Measured:
    """A45: no exception and no number that core must refuse, on ordinary and on hard markets."""
    extra = settled(bench)
    with bench.link() as link:
        for name, market in MARKETS.items():
            bars = market(SLOW_BARS + extra, bench.seed)
            try:
                rows = link.ask("agents.said", bars=bars)
                link.ask("agents.decided", bars=bars, begin=max(0, len(bars) - SLOW_BARS))
            except PluginRaisedError as error:
                message = f"market {name!r}: {error}"
                raise CheckFailedError(message) from error
            invalid = np.flatnonzero(rows[:, FIELDS.index("reason")] == INVALID_REASON)
            if len(invalid):
                where = f"at bar {int(invalid[0])} ({len(invalid)} bars)"
                message = f"market {name!r}: numbers not finite or out of range {where}"
                raise CheckFailedError(message)
            _demand_known_codes(rows, name)
    return Measured({"markets": len(MARKETS)})


def input_not_mutated(bench: Bench) -> None:
    """A47: the bars are what they were before the agent saw them, to the byte."""
    bars = regimes(SLOW_BARS + settled(bench), bench.seed)
    try:
        with bench.link() as link:
            changed = link.ask("agents.changed_bars", bars=bars)
    except PluginRaisedError as error:
        if "read-only" not in error.text:
            raise
        message = f"raises {error.text}: bars are read-only"
        raise CheckFailedError(message) from error
    if changed:
        message = f"it changed the bars it was shown: {', '.join(changed)}"
        raise CheckFailedError(message)


def memory_bounded(bench: Bench) -> Measured:
    """A48: what an agent keeps does not grow with every bar: neither its memory nor its snapshot."""
    first = settled(bench)
    bars = regimes(first + GROWTH_BARS * GROWTH_READINGS, bench.seed)
    with bench.link() as link:
        readings = link.ask("agents.memory", bars=bars, begin=first, every=GROWTH_BARS)
    limit = GROWTH_BYTES * GROWTH_BARS
    steps = np.diff(np.array(readings["bytes"]))[1:]
    measured = Measured(
        {"bytes a bar": round(float(steps.min()) / GROWTH_BARS, 1), "snapshot": readings["snapshot"][-1]},
        {"bytes a bar": f"< {GROWTH_BYTES}"},
    )
    if (steps >= limit).all():
        message = f"its memory grows by {int(steps.min()) / GROWTH_BARS:.0f} bytes with every bar"
        raise CheckFailedError(message, measured)
    if (np.diff(np.array(readings["snapshot"]))[1:] >= GROWTH_BARS).all():
        message = f"its snapshot grows with every bar, to {readings['snapshot'][-1]:,} bytes"
        raise CheckFailedError(message, measured)
    return measured


def process_left_alone(bench: Bench) -> None:
    """A49: what the process is set to is as it was before the agent was made and had decided."""
    bars = regimes(SLOW_BARS + settled(bench), bench.seed)
    with bench.link() as link:
        changed = link.ask("manners.changed", bars=bars)
    if changed:
        message = f"it sets what core shares with it: {'; '.join(changed)}: use a context of its own"
        raise CheckFailedError(message)


def _demand_known_codes(rows: Table, market: str) -> None:
    """Directions and confidences that core knows."""
    side, confidence = rows[:, FIELDS.index("direction")], rows[:, FIELDS.index("confidence_bp")]
    bad = np.flatnonzero((side < Side.SELL) | (side > Side.HOLD) | (confidence < -1) | (confidence > MAX_BP))
    if len(bad):
        row = int(bad[0])
        message = f"market {market!r}: direction {side[row]} with confidence {confidence[row]} bp at bar {row}"
        raise CheckFailedError(message)


CHECKS = (
    Check("A45", "finite answers on ordinary and hard markets", 7, finite_everywhere),
    Check("A47", "bars are not changed", 7, input_not_mutated, safety=True),
    Check("A48", "memory does not grow with every bar", 7, memory_bounded),
    Check("A49", "the process is left as it was", 3, process_left_alone, safety=True),
)
