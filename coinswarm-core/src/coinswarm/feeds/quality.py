"""What is wrong with bars (refused, with row numbers) and what is merely missing (reported)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.errors import DataError
from coinswarm.feeds.length import format_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.market import Floats, Ints

_SHOWN = 3
"""How many rows of each fault a message names."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that are not there.

    :param after_ns: open time of the last bar before the gap.
    :param missing: how many bars are missing.
    :param span_ns: from the open of the bar before the gap to the open of the bar after it.
    """

    after_ns: int
    missing: int
    span_ns: int


def infer_length(stamp_ns: Ints, name: str) -> int:
    """The most common difference of successive times; the smaller of two that are equally common.

    :raises DataError: where a single row leaves nothing to infer from.
    """
    steps, counts = np.unique(np.abs(np.diff(stamp_ns)), return_counts=True)
    if len(steps) == 0:
        message = f"{name} has a single row, which tells no bar length"
        raise DataError(message, remedy="pass --bar to coinswarm data import, as in --bar 1h")
    best = int(steps[np.argmax(counts)])
    if best == 0:
        best = int(steps[np.argmax(counts[1:]) + 1]) if len(steps) > 1 else 1
    return best


def find_faults(
    stamp_ns: Ints,
    prices: tuple[Floats, Floats, Floats, Floats],
    volume: Floats,
    bar_ns: int,
) -> dict[str, Ints]:
    """Rows with each kind of fault: name of the fault -> ascending row numbers from 0.

    The grid is the most common remainder of the times modulo the bar length, so that weekly bars and
    days that begin elsewhere than at 00:00 UTC have one too.

    :param prices: open, high, low, close.
    """
    opened, high, low, close = prices
    steps = np.diff(stamp_ns)
    remainders, counts = np.unique(stamp_ns % bar_ns, return_counts=True)
    numbers = np.isfinite(volume)
    for column in prices:
        numbers &= np.isfinite(column)
    positive = low > 0
    for column in (opened, high, close):
        positive &= column > 0
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    sound = numbers & positive
    found = {
        "not a finite number": ~numbers,
        "price not positive": numbers & ~positive,
        "high below low": sound & (high < low),
        "open or close outside low to high": sound & (high >= low) & ((top > high) | (bottom < low)),
        "negative volume": numbers & (volume < 0),
        "time repeated": np.append(False, steps == 0),
        "time earlier than the row before": np.append(False, steps < 0),
        f"time off the {format_length(bar_ns)} grid": stamp_ns % bar_ns != remainders[np.argmax(counts)],
    }
    return {fault: np.flatnonzero(rows) for fault, rows in found.items() if rows.any()}


def refuse(faults: dict[str, Ints], name: str, where: Callable[[int], str], remedy: str) -> None:
    """Raise one error that counts the rows of each fault and names the first few.

    :raises DataError: where there is any fault.
    """
    if not faults:
        return
    parts = []
    for fault, rows in faults.items():
        shown = ", ".join(where(int(row)).removeprefix(f"{name}, ") for row in rows[:_SHOWN])
        more = ", ..." if len(rows) > _SHOWN else ""
        parts.append(f"{fault} in {len(rows)} row{'s' if len(rows) > 1 else ''} ({shown}{more})")
    message = f"{name}: {'; '.join(parts)}"
    raise DataError(message, remedy=remedy)


def find_gaps(open_ns: Ints, bar_ns: int) -> list[Gap]:
    """Every gap, in order of time."""
    steps = np.diff(open_ns)
    rows = np.flatnonzero(steps > bar_ns)
    return [Gap(int(open_ns[row]), int(steps[row] // bar_ns - 1), int(steps[row])) for row in rows]
