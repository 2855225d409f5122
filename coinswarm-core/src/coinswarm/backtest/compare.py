"""Two runs side by side: what was changed between them, and what that did."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.summary import money
from coinswarm.backtest.tables import orders, text_rows
from coinswarm.clock import iso, to_ns
from coinswarm.evidence.days import cut_days
from coinswarm.evidence.measure import compare_days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.backtest.runread import StoredRun
    from coinswarm.engine.result import RunResult
    from coinswarm.evidence.days import Days

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]

COMPARE_SCHEMA = "coinswarm.compare/1"
_NAMED = ("id", "symbol", "name", "seat")
"""What tells the entries of a list apart, the first that is there."""


def compare_runs(a: StoredRun, b: StoredRun) -> dict[str, Any]:
    """Compare two runs: ``changed`` (settings, versions, data) and ``did`` (measures, orders, equity).

    Every difference is ``b - a``. Return per year and Sharpe have intervals of their difference where
    both runs cover the same days: both are resampled together.
    """
    settings = changes(_settings(a), _settings(b))
    said = [(row["key"].removeprefix("instruments."), row["a"], row["b"]) for row in settings]  # a value may be a list
    data = [
        row for row in changes(_data(a), _data(b)) if (row["key"].replace(" ", "."), row["a"], row["b"]) not in said
    ]
    return {
        "schema": COMPARE_SCHEMA,
        "a": _name(a),
        "b": _name(b),
        "same_orders": a.result.order_hash == b.result.order_hash,
        "changed": {
            "settings": settings,
            "versions": changes(_versions(a), _versions(b)),
            "data": data,
        },
        "measures": _measures(a, b),
        "counts": _counts(a, b),
        "first_difference": first_difference(a.result, b.result),
        "equity": equity_apart(a.result, b.result),
    }


def flatten(value: object, place: str = "") -> dict[str, Any]:
    """``{"risk.daily_loss_bp": 500}``: every leaf by its dotted key; entries of lists by their own names."""
    if isinstance(value, dict):
        parts = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        parts = [(_entry(part, number), part) for number, part in enumerate(value)]
    else:
        return {place: value}
    found: dict[str, Any] = {}
    for key, part in parts:
        found |= flatten(part, f"{place}.{key}" if place else key)
    return found


def changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Keys whose values differ, in the order of ``a``, what only ``b`` has at the end."""
    keys = [*a, *(key for key in b if key not in a)]
    return [{"key": key, "a": a.get(key), "b": b.get(key)} for key in keys if a.get(key) != b.get(key)]


def first_difference(a: RunResult, b: RunResult) -> dict[str, Any] | None:
    """The first order that is not in both runs, in words; None where all are.

    Both are read in the order in which they were sent; an order counts with its end, not with its number.
    """
    left, right = ([row[2:] for row in text_rows(orders(each))] for each in (a, b))
    same = next((n for n, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), None)
    if same is None:
        if len(left) == len(right):
            return None
        same = min(len(left), len(right))
    return {"number": same, "a": _order_words(left, same), "b": _order_words(right, same)}


def _name(run: StoredRun) -> dict[str, Any]:
    """Which run it is."""
    record = run.record
    return {
        "id": run.run_id,
        "created": record["created"],
        "profile": record.get("label", ""),
        "order_hash": record["order_hash"],
    }


def _entry(part: object, number: int) -> str:
    """What a list's entry is called."""
    named = [part[key] for key in _NAMED if part.get(key)] if isinstance(part, dict) else []
    return str(named[0]) if named else str(number)


def _settings(run: StoredRun) -> dict[str, Any]:
    """How it was run, and the profile; its mode is the one that was run."""
    return {**flatten(run.record["profile"]), "mode": run.record["mode"], "(engine)": run.record["engine"]}


def _versions(run: StoredRun) -> dict[str, Any]:
    """Packages by name, and plugins with the distribution they come from."""
    plugins = {f"plugin {p['name']}": f"{p['distribution']} {p['version']}" for p in run.record["plugins"]}
    return {**run.record["made_with"], **plugins}


def _data(run: StoredRun) -> dict[str, Any]:
    """What was traded on, per symbol."""
    found: dict[str, Any] = {}
    for one in run.record["data"]:
        span = f"{iso(one['first_ns'])} to {iso(one['last_ns'])}"
        found |= {
            f"{one['symbol']} span": span,
            f"{one['symbol']} bars": one["rows"],
            f"{one['symbol']} missing": one["missing"],
            f"{one['symbol']} sha256": one["sha256"],
        }
    for one in run.record["instruments"]:
        found |= {f"{one['symbol']} {key}": one[key] for key in ("tick", "lot", "min_notional", "shortable")}
    found |= {f"{symbol} funding sha256": one["sha256"] for symbol, one in run.record.get("funding", {}).items()}
    return found


def _measures(a: StoredRun, b: StoredRun) -> list[dict[str, Any]]:
    """Each measure of both, and the difference."""
    of_b = {m["name"]: m for m in b.record["summary"]["measures"]}
    days = [_days(run) for run in (a, b)]
    why, found = "", {}
    if not np.array_equal(days[0].day, days[1].day):
        why = "the runs cover different days"
    elif len(days[0]):
        found = compare_days(days[1], days[0], seed=int(a.record["summary"]["interval"]["seed"]))
    rows = []
    for one in a.record["summary"]["measures"]:
        other = of_b.get(one["name"])
        if other is None:
            continue
        both = one["value"] is not None and other["value"] is not None
        estimate = found.get(one["name"])
        rows.append(
            {
                "name": one["name"],
                "label": one["label"],
                "unit": one["unit"],
                "a": one["value"],
                "b": other["value"],
                "difference": other["value"] - one["value"] if both else None,
                "low": estimate.low if estimate else None,
                "high": estimate.high if estimate else None,
                "why": estimate.why if estimate else why if one["name"] in ("cagr", "sharpe") else "",
            }
        )
    return rows


def _days(run: StoredRun) -> Days:
    """The measured days of a run: without its warm-up."""
    result, begin = run.result, str(run.record["summary"]["period"]["from"])
    first = (
        int(np.searchsorted(result.times_ns, to_ns(datetime.fromisoformat(begin)))) if begin else len(result.times_ns)
    )
    shown = slice(first, None)
    return cut_days(
        result.times_ns[shown], result.bar_ns, result.equity[shown], result.exposure_units[shown], result.cash
    )


def _counts(a: StoredRun, b: StoredRun) -> list[dict[str, Any]]:
    """Orders, fills, trades, and refusals by reason."""
    left, right = ({**_count(run), **run.record["summary"]["orders"]["refused"]} for run in (a, b))
    rows = []
    for key in [*left, *(key for key in right if key not in left)]:
        one, other = int(left.get(key, 0)), int(right.get(key, 0))
        label = key if key in _count(a) else f"refused: {key}"
        rows.append({"label": label, "a": one, "b": other, "difference": other - one})
    return rows


def _count(run: StoredRun) -> dict[str, int]:
    """How much happened."""
    return {
        "orders": len(run.result.orders),
        "fills": len(run.result.fills),
        "trades": len(run.result.trade_rows),
    }


def _order_words(rows: list[tuple[str, ...]], number: int) -> str:
    """One order in words."""
    if number >= len(rows):
        return f"sent no more orders after {number}"
    instrument, decided, side, kind, quantity, limit, trigger, _tif, purpose, ended, end = rows[number]
    at = "".join(f" {word} {value}" for word, value in (("limit", limit), ("trigger", trigger)) if value)
    return f"{decided} {side} {quantity} {instrument} {kind}{at} ({purpose}): {end}" + (f" {ended}" if ended else "")


def equity_apart(a: RunResult, b: RunResult) -> dict[str, Any]:
    """How far equity lay apart, at the marks that both have: a mark is made when its bar closes."""
    ours, theirs = (each.times_ns + each.bar_ns for each in (a, b))
    times, left, right = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    gap: I1 = b.equity[right] - a.equity[left]
    final = [int(each.equity[-1]) if len(each.equity) else each.cash for each in (a, b)]
    found: dict[str, Any] = {
        "a": money(final[0]),
        "b": money(final[1]),
        "difference": money(final[1] - final[0]),
        "marks_in_both": len(times),
        "first_apart": None,
        "widest": None,
    }
    apart = np.flatnonzero(gap)
    if len(apart):
        widest = int(np.abs(gap).argmax())
        found["first_apart"] = iso(int(times[apart[0]]))
        found["widest"] = {"difference": money(int(gap[widest])), "at": iso(int(times[widest]))}
    return found
