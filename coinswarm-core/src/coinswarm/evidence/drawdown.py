"""Where the deepest drawdown lay: its peak, its trough and when it was made good."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


class Drawdown(NamedTuple):
    """The deepest fall of equity from an earlier peak.

    :param depth: share of the peak, 0 to 1 (above 1 where equity went negative).
    :param peak_ns, trough_ns: closes of the bars of the last peak before it, and of its lowest mark;
        a peak at the starting cash carries the first bar's open.
    :param recovered_ns: close of the first bar at or above the peak again; 0: never.
    """

    depth: float
    peak_ns: int
    trough_ns: int
    recovered_ns: int


def deepest(times_ns: Ints, bar_ns: int, equity: Ints, cash: int) -> Drawdown | None:
    """The deepest drawdown of a run; None where equity never lay below an earlier mark.

    :param times_ns: int64[T], bar open times.
    :param equity: int64[T], equity at each bar's close.
    :param cash: equity before the first bar, positive.
    """
    if len(equity) == 0:
        return None
    path = np.concatenate((np.array([cash], np.int64), equity))
    closes = np.concatenate((times_ns[:1], times_ns + bar_ns))
    peak = np.maximum.accumulate(path)
    depth = (peak - path) / peak.astype(np.float64)
    trough = int(depth.argmax())
    if depth[trough] == 0.0:
        return None
    top = trough - int(np.argmax(path[trough::-1] == peak[trough]))
    again = np.flatnonzero(path[trough:] >= peak[trough])
    recovered = int(closes[trough + again[0]]) if len(again) else 0
    return Drawdown(float(depth[trough]), int(closes[top]), int(closes[trough]), recovered)
