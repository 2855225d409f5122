"""Two engines, one run: where their results differ, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.engine.result import DECISION_FIELDS, FILL_FIELDS, ORDER_FIELDS

if TYPE_CHECKING:
    from coinswarm.engine.result import RunResult

TRADE_FIELDS = ("instrument", "side", "opened_ns", "closed_ns", "lots", "pnl", "fees", "risk", "agree", "stopped")
_TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("orders", ORDER_FIELDS),
    ("fills", FILL_FIELDS),
    ("decisions", DECISION_FIELDS),
    ("trade_rows", TRADE_FIELDS),
)
_CURVES = ("reference", "times_ns", "equity", "exposure_units")


def differences(one: RunResult, other: RunResult) -> list[str]:
    """One line for everything in which two results differ; empty when they are the same.

    Each line names the first row, the fields and both values.
    """
    found = []
    for name, fields in _TABLES:
        left, right = getattr(one, name), getattr(other, name)
        rows = min(len(left), len(right))
        wrong = np.flatnonzero((left[:rows] != right[:rows]).any(axis=1))
        if len(wrong):
            row = int(wrong[0])
            cells = [
                f"{field} {a} and {b}"
                for field, a, b in zip(fields, left[row].tolist(), right[row].tolist(), strict=True)
                if a != b
            ]
            found.append(f"{name} row {row}: {', '.join(cells)}")
        if len(left) != len(right):
            found.append(f"{name}: {len(left)} and {len(right)} rows")
    for name in _CURVES:
        left, right = getattr(one, name), getattr(other, name)
        if not np.array_equal(left, right):
            rows = min(len(left), len(right))
            row = next((int(i) for i in np.flatnonzero(left[:rows] != right[:rows])), rows)
            found.append(f"{name} differs from row {row} on")
    return found + [
        f"{name}: {getattr(one, name)} and {getattr(other, name)}"
        for name in ("costs", "errors", "symbols", "anchor_ns", "order_hash")
        if getattr(one, name) != getattr(other, name)
    ]
