"""From a stored run and a selector to an explanation: the run is executed again and must be the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.explain import explain_moments
from coinswarm.backtest.explain_life import fields_of, opening_order
from coinswarm.backtest.words import END_WORDS
from coinswarm.clock import iso
from coinswarm.domain.order import EndReason
from coinswarm.errors import DataError, NotReadyError, UnknownNameError, nearest
from coinswarm.runtime.runs import restore

if TYPE_CHECKING:
    from pathlib import Path

    from coinswarm.backtest.explain_watch import Moment
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What to explain; at most one of the four, the last decision if none.

    :param decision, trade, order: numbers as in the run's tables, from 0.
    :param at_ns: when a bar was known.
    :param symbol: the instrument, with ``at_ns``; all that have a bar then if None.
    """

    decision: int | None = None
    trade: int | None = None
    order: int | None = None
    at_ns: int | None = None
    symbol: str | None = None


def explain(path: Path, selector: Selector) -> dict[str, Any]:
    """Explain moments of a stored run.

    :returns: ``run``, ``order_hash``, ``asked`` (what the selector led to, in words) and ``explained``.
    :raises UnknownNameError: when the selector meets nothing; the nearest is named.
    :raises NotReadyError: for a run in which nothing was decided.
    :raises DataError: when the run does not execute to its order hash any more.
    """
    stored, ready = restore(path)
    result, plan = stored.result, ready.plan
    moments, asked = select(plan, result, selector, stored.run_id)
    again, explained = explain_moments(plan, moments, result.recall)
    if again.order_hash != result.order_hash:
        message = (
            f"run {stored.run_id} executes to the order hash {again.order_hash[:16]} and not to its own "
            f"{result.order_hash[:16]}: an explanation would be of another run"
        )
        raise DataError(message, remedy=_changed(stored.record))
    return {"run": stored.run_id, "order_hash": result.order_hash, "asked": asked, "explained": explained}


def _changed(record: dict[str, Any]) -> str:
    """What to restore."""
    made = [f"{plugin['distribution']} {plugin['version']}" for plugin in record["plugins"]]
    made += [f"{name} {version}" for name, version in record["made_with"].items()]
    return f"install what it was made with ({', '.join(dict.fromkeys(made))})"


def select(plan: RunPlan, result: RunResult, selector: Selector, run_id: str) -> tuple[list[Moment], str]:
    """The moments that a selector means, and what it led to in words.

    :raises UnknownNameError: when it meets nothing.
    """
    if selector.symbol is not None and selector.symbol not in result.symbols:
        message = f"run {run_id} does not trade {selector.symbol!r}"
        raise UnknownNameError(message, remedy=nearest(selector.symbol, result.symbols))
    if selector.order is not None:
        return _by_order(plan, result, selector.order, run_id)
    if selector.trade is not None:
        place = _numbered("trade", selector.trade, len(result.trade_rows), run_id)
        moments, _ = _by_order(plan, result, opening_order(result, place), run_id)
        return moments, f"trade {place}, by the decision that opened it"
    if selector.at_ns is not None:
        return _by_time(plan, result, selector.at_ns, selector.symbol, run_id)
    count = len(result.decisions)
    if selector.decision is None and count == 0:
        message = f"nothing was decided in run {run_id}"
        raise NotReadyError(message, remedy="ask for a time with --at")
    number = _numbered("decision", count - 1 if selector.decision is None else selector.decision, count, run_id)
    known, k = result.decisions[number, :2].tolist()
    words = f"decision {number} of {count}" + (", the last" if selector.decision is None else "")
    return [_moment(plan, result, k, known)], words


def _numbered(kind: str, number: int, count: int, run_id: str) -> int:
    """A number that is there."""
    if 0 <= number < count:
        return number
    message = f"run {run_id} has no {kind} {number}"
    if count == 0:
        raise UnknownNameError(message, remedy=f"it has no {kind}s at all; ask for a time with --at")
    closest = min(max(number, 0), count - 1)
    raise UnknownNameError(message, remedy=f"they go from 0 to {count - 1}; the nearest is {closest}")


def _by_order(plan: RunPlan, result: RunResult, number: int, run_id: str) -> tuple[list[Moment], str]:
    """The decision behind an order; a protective order leads to its entry."""
    row = fields_of(result, _numbered("order", number, len(result.orders), run_id))
    words = f"order {number}, {END_WORDS[EndReason(row['end_reason'])]}"
    if row["parent"] >= 0:
        words += f"; it guards order {row['parent']}, whose decision this is"
        row = fields_of(result, row["parent"])
    return [_moment(plan, result, row["instrument"], row["decided_ns"])], words


def _moment(plan: RunPlan, result: RunResult, k: int, known_ns: int) -> Moment:
    """The bar that was known then."""
    return k, int(np.searchsorted(plan.bars[k].open_ns, known_ns - result.bar_ns))


def _by_time(plan: RunPlan, result: RunResult, at_ns: int, symbol: str | None, run_id: str) -> tuple[list[Moment], str]:
    """The bars that were known at a time."""
    chosen = range(len(plan.bars)) if symbol is None else [result.symbols.index(symbol)]
    found: list[Moment] = []
    near: set[int] = set()
    for k in chosen:
        known = plan.bars[k].open_ns + result.bar_ns
        row = int(np.searchsorted(known, at_ns))
        if row < len(known) and known[row] == at_ns:
            found.append((k, row))
        near.update(known[max(row - 1, 0) : row + 1].tolist())
    if found:
        return found, f"the bars known at {iso(at_ns)}"
    names = symbol or " or ".join(result.symbols)
    message = f"no bar of {names} was known at {iso(at_ns)} in run {run_id}"
    before, after = [t for t in near if t < at_ns], [t for t in near if t > at_ns]
    times = [iso(t) for t in (*([max(before)] if before else []), *([min(after)] if after else []))]
    raise UnknownNameError(message, remedy=f"the nearest {'is' if len(times) == 1 else 'are'} {' and '.join(times)}")
