"""The points that all charts of a report share: the run's marks, or groups of them where there are too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from coinswarm.domain.market import TickBars

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

MOST_POINTS = 20_000
"""Points per chart: beyond it marks are grouped, for display only."""
MOST_IN_ALL = 80_000
"""Candles over all instruments: a page of many instruments has fewer points each."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Marks in groups of ``step``; the last group may be shorter.

    :param times_ns: int64[T], the run's marks by the open times of their bars.
    :param first: int64[N], the first mark of each group.
    :param last: int64[N], its last mark.
    """

    times_ns: I1
    step: int
    first: I1
    last: I1

    @classmethod
    def over(cls, times_ns: I1, instruments: int = 1) -> Grid:
        """The grid of a run."""
        most = min(MOST_POINTS, max(MOST_IN_ALL // max(instruments, 1), 1_000))
        step = max(1, -(-len(times_ns) // most))
        first = np.arange(0, len(times_ns), step)
        return cls(times_ns, step, first, np.minimum(first + step, len(times_ns)) - 1)

    def __len__(self) -> int:
        return len(self.first)

    def seconds(self) -> I1:
        """Open times of the groups, in seconds since the epoch."""
        result: I1 = self.times_ns[self.first] // 1_000_000_000
        return result

    def at(self, times_ns: I1) -> I1:
        """The group in which each time lies; times before the first mark count as in it."""
        mark = np.searchsorted(self.times_ns, times_ns, side="right") - 1
        result: I1 = np.clip(mark, 0, max(len(self.times_ns) - 1, 0)) // self.step
        return result

    def highest(self, values: Floats) -> Floats:
        """The largest value of each group."""
        return np.maximum.reduceat(values, self.first) if len(values) else values

    def candles(self, ticks: TickBars) -> tuple[I1, list[I1]]:
        """Groups that have a bar of this instrument, and their open, high, low and close."""
        where = self.at(ticks.open_ns)
        groups, begin = np.unique(where, return_index=True)
        end = np.append(begin[1:], len(where)) - 1
        return groups, [
            ticks.open[begin],
            np.maximum.reduceat(ticks.high, begin),
            np.minimum.reduceat(ticks.low, begin),
            ticks.close[end],
        ]


def deltas(values: I1) -> list[int]:
    """Differences from one value to the next, the first from 0: shorter as text."""
    found: list[int] = np.diff(values, prepend=0).tolist()
    return found


def changes(values: np.ndarray[tuple[int], np.dtype[Any]]) -> list[list[int]]:
    """``[place, value]`` wherever the value is another one than before."""
    if not len(values):
        return []
    places = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return [[place, value] for place, value in zip(places.tolist(), values[places].tolist(), strict=True)]
