"""The comparison of two runs as plain text within 80 columns where values allow it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from coinswarm.backtest.render import CURRENCY_FROM, interval_text, number_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LABEL, _VALUE, _CHANGE = 24, 14, 14
_COUNTED = 52
"""Width of the labels of counts: refusals have long words."""
_LONG = 26
"""Values longer than this are cut: the whole is in ``--json``."""


def render_comparison(found: Mapping[str, Any]) -> str:
    """What ``compare_runs`` found, as text with one newline at the end."""
    blocks = [_who(found)]
    for title, part in (("Settings", "settings"), ("Versions", "versions"), ("Data", "data")):
        blocks.append(_changes(title, found["changed"][part]))
    blocks += [_measures(found), _counts(found), _orders(found), _equity(found)]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


def _who(found: Mapping[str, Any]) -> list[str]:
    """The two runs."""
    return [
        f"{which.upper()}  {found[which]['id']}  {found[which]['profile'] or '-'}  made {found[which]['created']}"
        for which in ("a", "b")
    ]


def _changes(title: str, changed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys that differ."""
    if not changed:
        return [f"{title + ' changed':<{_LABEL}} none"]
    width = max(len(row["key"]) for row in changed)
    rows = [f"  {row['key']:<{width}}  {_value(row['a'])} -> {_value(row['b'])}" for row in changed]
    return [f"{title} changed", *rows]


def _value(value: object) -> str:
    """A setting; a missing one is a dash."""
    text = "-" if value is None else str(value)
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."


def _measures(found: Mapping[str, Any]) -> list[str]:
    """The table of measures."""
    places = 2 if float(found["equity"]["a"]) >= CURRENCY_FROM else 8
    lines = [f"{'':<{_LABEL}}{'A':>{_VALUE}}{'B':>{_VALUE}}{'B - A':>{_CHANGE}}  95 % interval"]
    reasons: list[str] = []
    for row in found["measures"]:
        cells = [number_text(row[key], row["unit"], places) for key in ("a", "b", "difference")]
        interval = interval_text(row, row["unit"], places)
        if row["why"] and row["why"] not in reasons:
            reasons.append(row["why"])
        lines.append(
            f"{row['label']:<{_LABEL}}{cells[0]:>{_VALUE}}{cells[1]:>{_VALUE}}{cells[2]:>{_CHANGE}}  {interval}"
        )
    return lines + [f"  no interval: {reason}" for reason in reasons]


def _counts(found: Mapping[str, Any]) -> list[str]:
    """Orders, fills, trades, refusals."""
    return [
        f"{row['label']:<{_COUNTED}}{row['a']:>9,}{row['b']:>9,}{row['difference']:>+9,}" for row in found["counts"]
    ]


def _orders(found: Mapping[str, Any]) -> list[str]:
    """Where the orders part."""
    first = found["first_difference"]
    if first is None:
        return ["Orders are the same in both."]
    lines = [f"Orders are the same up to number {first['number']}; then" if first["number"] else "No order is the same"]
    for which in ("a", "b"):
        lines += textwrap.wrap(
            first[which], 80, initial_indent=f"  {which.upper()}  ", subsequent_indent="     ", break_on_hyphens=False
        )
    return lines


def _equity(found: Mapping[str, Any]) -> list[str]:
    """How far equity lies apart."""
    equity = found["equity"]
    lines = [f"Final equity: A {equity['a']}, B {equity['b']}, B - A {equity['difference']}"]
    if equity["widest"]:
        lines.append(f"Equity parts at {equity['first_apart']}; widest {_widest(equity['widest'])}")
    return lines


def _widest(widest: Mapping[str, Any]) -> str:
    return f"{widest['difference']} at {widest['at']}"
