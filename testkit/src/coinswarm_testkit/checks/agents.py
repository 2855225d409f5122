"""A: what a signal agent answers: determinism, snapshots, look-ahead, warm-up, hard markets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import INVALID_REASON, ActionColumns, Side
from coinswarm.domain.market import Bars, MarketState
from coinswarm.errors import ContractError
from coinswarm_testkit.checks.check import CheckFailedError, CheckSkipped, demand_equal
from coinswarm_testkit.markets.paths import MARKETS, gapped, regimes
from coinswarm_testkit.replay import FIELDS, copied, decided, replayed_elsewhere, said, table

if TYPE_CHECKING:
    from coinswarm_testkit.replay import Table
    from coinswarm_testkit.subject import Subject

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


def replay_determinism(subject: Subject, seed: int) -> None:
    """A10: two fresh agents in two processes with different hash seeds, one stream, identical actions."""
    try:
        one, other = replayed_elsewhere(subject, "regimes", SLOW_BARS, seed, hash_seeds=("1", "4242"))
    except RuntimeError as error:
        raise CheckFailedError(str(error)) from error
    demand_equal(one, other, what="two processes with different hash seeds")


def snapshot_continues(subject: Subject, seed: int) -> None:
    """A20: an agent restored from a snapshot goes on as the one that was never stopped."""
    bars = regimes(_settled(subject) + SLOW_BARS, seed)
    half = len(bars) - SLOW_BARS // 2
    unbroken = decided(subject.agent(), bars)[half:]
    stopped, resumed = subject.agent(), subject.agent()
    decided(stopped, bars, end=half)
    resumed.restore(stopped.snapshot())
    demand_equal(decided(resumed, bars, begin=half), unbroken, what="restored and unbroken agent", first=half)


def decide_equals_columns(subject: Subject, seed: int) -> None:
    """A25: ``decide`` is the row of ``decide_all`` at every bar, whether or not later bars are in memory."""
    if not subject.columnar:
        message = "it writes no columns"
        raise CheckSkipped(message)
    for bars in (regimes(SLOW_BARS + _settled(subject), seed), gapped(SLOW_BARS, seed)):
        begin = len(bars) - SLOW_BARS
        columns = said(subject.agent(), bars)[begin:]
        walking = decided(subject.agent(), bars, begin=begin)
        demand_equal(walking, columns, what="decide and decide_all", first=begin)
        agent = subject.agent()
        alone = [agent.decide(MarketState.at(copied(bars, slice(row + 1)), row)) for row in range(begin, len(bars))]
        cut = table(ActionColumns.from_actions(bars.instrument, alone))
        demand_equal(cut, columns, what="decide on a truncated history and decide_all", first=begin)


def truncation(subject: Subject, seed: int) -> None:
    """A30: at every bar, the answer is the same when history ends there."""
    bars = regimes(BARS if subject.columnar else SLOW_BARS, seed)
    whole = said(subject.agent(), bars)
    cut = np.array([_last(subject, copied(bars, slice(row + 1))) for row in range(len(bars))], np.int64)
    demand_equal(cut, whole, what="history that ends at a bar and history that goes on")


def shuffled_future(subject: Subject, seed: int) -> None:
    """A32: another order and another scale of what comes after a bar leave everything up to it unchanged."""
    bars = regimes(BARS, seed)
    whole = said(subject.agent(), bars)
    rng = np.random.default_rng(seed)
    for cut in sorted(rng.choice(np.arange(1, len(bars) - 1), CUTS, replace=False).tolist()):
        changed = _with_future(bars, cut, rng)
        found = said(subject.agent(), changed)
        demand_equal(found[:cut], whole[:cut], what=f"the true future and one changed from bar {cut} on")


def warm_up_suffices(subject: Subject, seed: int) -> None:
    """A40: after the declared warm-up, ten times as much of it would change nothing."""
    warm = subject.warm_up_bars
    if not warm:
        message = "it declares no warm-up"
        raise CheckSkipped(message)
    bars = regimes(10 * warm + SETTLED_BARS, seed)
    long = said(subject.agent(), bars)[10 * warm :]
    short = said(subject.agent(), copied(bars, slice(9 * warm, None)))[warm:]
    allowed = np.array([TOLERANCE[name] for name in FIELDS])
    near = np.where(np.abs(long - short) <= allowed, long, short)
    demand_equal(near, long, what=f"warm-up of {warm} and of {10 * warm} bars", first=10 * warm)


def finite_everywhere(subject: Subject, seed: int) -> None:
    """A45: no exception and no number out of range on ordinary and hard histories."""
    for name, make in MARKETS.items():
        bars = make(BARS if subject.columnar else SLOW_BARS, seed)
        agent = subject.agent()
        try:
            rows = said(agent, bars) if isinstance(agent, ColumnarAgent) else decided(agent, bars)
        except ContractError as error:
            message = f"market {name!r}: {error}"
            raise CheckFailedError(message) from error
        except Exception as error:
            message = f"market {name!r}: raises {type(error).__name__}: {error}"
            raise CheckFailedError(message) from error
        invalid = np.flatnonzero(rows[:, FIELDS.index("reason")] == INVALID_REASON)
        if len(invalid):
            message = (
                f"market {name!r}: numbers not finite or out of range at bar {int(invalid[0])} ({len(invalid)} bars)"
            )
            raise CheckFailedError(message)
        _demand_known_codes(rows, name)


def input_not_mutated(subject: Subject, seed: int) -> None:
    """A47: the bars are what they were before the agent saw them, to the byte."""
    true = regimes(SLOW_BARS + _settled(subject), seed)
    arrays = [np.array(getattr(true, name)) for name in ("open_ns", "open", "high", "low", "close", "volume")]
    before = [array.tobytes() for array in arrays]
    times, opened, high, low, close, volume = arrays
    bars = Bars(true.instrument, true.length_ns, times, opened, high, low, close, volume)
    agent = subject.agent()
    try:
        said(agent, bars)
        decided(agent, bars, begin=len(bars) - 3)
    except (ValueError, ContractError) as error:
        cause = error.__cause__ if isinstance(error, ContractError) else error
        if not isinstance(cause, ValueError):
            raise
        message = f"raises {cause}: bars are read-only"
        raise CheckFailedError(message) from error
    names = ("open_ns", "open", "high", "low", "close", "volume")
    changed = [name for name, array, old in zip(names, arrays, before, strict=True) if array.tobytes() != old]
    if changed:
        message = f"it changed the bars it was shown: {', '.join(changed)}"
        raise CheckFailedError(message)


def _settled(subject: Subject) -> int:
    """Bars to pass before an agent has something to say; few for agents with a long warm-up that decide one by one."""
    return min(subject.warm_up_bars, BARS)


def _last(subject: Subject, bars: Bars) -> list[int]:
    """The answer at the last of the bars, by a fresh agent that saw no others."""
    row: list[int] = said(subject.agent(), bars)[-1].tolist()
    return row


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


def _demand_known_codes(rows: Table, market: str) -> None:
    """Directions and confidences that core knows."""
    side, confidence = rows[:, FIELDS.index("direction")], rows[:, FIELDS.index("confidence_bp")]
    bad = np.flatnonzero((side < Side.SELL) | (side > Side.HOLD) | (confidence < -1) | (confidence > 10_000))  # noqa: PLR2004 - basis points
    if len(bad):
        row = int(bad[0])
        message = f"market {market!r}: direction {side[row]} with confidence {confidence[row]} bp at bar {row}"
        raise CheckFailedError(message)
