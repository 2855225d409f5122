"""Whose profit it was: trades attributed to the agents that agreed at their entry (S5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.evidence.days import sum_by_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.engine.result import RunResult
    from coinswarm.evidence.days import Days

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]

CLOSED, PNL, AGREE = 3, 5, 8
"""Columns of a trade row."""


def split(amount: int, weights: Sequence[int], agree: int) -> list[int]:
    """An amount among the seats that agreed, by weight; the parts sum to it exactly.

    What does not divide goes to the first that agreed. Nobody agreed, or all that did weigh nothing: all zero.
    """
    shares = [weight if agree >> seat & 1 else 0 for seat, weight in enumerate(weights)]
    total = sum(shares)
    if not total:
        return [0] * len(shares)
    parts = [amount * share // total for share in shares]
    first = next(seat for seat, share in enumerate(shares) if share)
    parts[first] += amount - sum(parts)
    return parts


def attributed(result: RunResult, weights: Sequence[int]) -> I2:
    """Profit of every closed trade by seat: int64[trades, seats + 1]; the last column is nobody's."""
    rows = []
    for amount, agree in result.trade_rows[:, [PNL, AGREE]].tolist():
        parts = split(amount, weights, agree)
        rows.append([*parts, amount - sum(parts)])
    return np.array(rows, np.int64).reshape(len(rows), len(weights) + 1)


def by_day(result: RunResult, parts: I2, days: Days) -> list[Floats]:
    """Attributed profit per day of closing, for each column of ``parts``."""
    closed = result.trade_rows[:, CLOSED]
    return [sum_by_day(closed, result.bar_ns, column.astype(np.float64), days) for column in parts.T]
