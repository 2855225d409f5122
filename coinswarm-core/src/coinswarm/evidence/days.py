"""A run cut into UTC days: what each day did to equity, and what was traded in it (S22)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.clock import DAY_NS

if TYPE_CHECKING:
    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """One row per UTC day from the first mark to the last, days without a mark included.

    A mark is made at the close of its bar; one at 00:00 belongs to the day that ends there. Each
    day starts with the equity at the end of the day before, the first with the starting cash.

    :param day: int64[n], days since 1970-01-01.
    :param equity: float64[n], equity at the day's last mark, in units of 1e-8; carried over idle days.
    :param growth: float64[n], that equity ÷ the equity at the day's start: 1 + the daily return.
    :param top, bottom: float64[n], highest and lowest equity of the day ÷ the equity at its start.
    :param fall: float64[n], deepest fall from a peak inside the day, as a share of that peak.
    :param marks, exposed: float64[n], marks of the day; those of them with a position.
    :param exposure: float64[n], sum over the day's marks of |position value| ÷ equity.
    :param start: the equity before the first day.
    :param length: days from the first bar's open to the last mark: less than n where the first or the last day
        is not whole. What is told per year counts these.
    """

    day: Ints
    equity: Floats
    growth: Floats
    top: Floats
    bottom: Floats
    fall: Floats
    marks: Floats
    exposed: Floats
    exposure: Floats
    start: float
    length: float

    def __len__(self) -> int:
        return len(self.day)

    @property
    def returns(self) -> Floats:
        """Daily returns, float64[n]."""
        return self.growth - 1.0

    @property
    def before(self) -> Floats:
        """Equity at the start of each day, float64[n]."""
        return np.concatenate(([self.start], self.equity[:-1]))

    @property
    def ruined(self) -> bool:
        """Whether equity was zero or less at some mark: returns are not defined from there."""
        return bool(self.start <= 0.0 or (self.bottom <= 0.0).any())


def day_of(times_ns: Ints, bar_ns: int) -> Ints:
    """The UTC day in which each bar closes: int64, days since 1970-01-01.

    :param times_ns: bar open times.
    """
    return (times_ns + (bar_ns - 1)) // DAY_NS


def cut_days(times_ns: Ints, bar_ns: int, equity: Ints, exposure_units: Ints, cash: int) -> Days:
    """Cut a run into days.

    :param times_ns: int64[T], bar open times, strictly ascending.
    :param equity: int64[T], equity at each bar's close, in units of 1e-8.
    :param exposure_units: int64[T], sum of |position value| there, same unit.
    :param cash: equity before the first bar, same unit.
    :raises ValueError: for arrays of different lengths.
    """
    if not len(times_ns) == len(equity) == len(exposure_units):
        message = f"{len(times_ns)} times, {len(equity)} equities and {len(exposure_units)} exposures do not match"
        raise ValueError(message)
    if len(times_ns) == 0:
        empty = np.zeros(0)
        return Days(np.zeros(0, np.int64), empty, empty, empty, empty, empty, empty, empty, empty, float(cash), 0.0)
    mark_day = day_of(times_ns, bar_ns)
    present, first = np.unique(mark_day, return_index=True)
    last = np.append(first[1:], len(times_ns)) - 1
    value = equity.astype(np.float64)
    begin = np.concatenate(([float(cash)], value[last[:-1]]))
    day = np.arange(present[0], present[-1] + 1)
    row = present - present[0]

    def spread(values: Floats, idle: float) -> Floats:
        """Values of the days with marks on all days, ``idle`` on the others."""
        full = np.full(len(day), idle)
        full[row] = values
        return full

    with np.errstate(divide="ignore", invalid="ignore"):  # ruin is told by Days.ruined
        growth, top, bottom = (
            np.nan_to_num(x / begin, posinf=0.0, neginf=0.0)
            for x in (
                value[last],
                np.maximum(np.maximum.reduceat(value, first), begin),
                np.minimum(np.minimum.reduceat(value, first), begin),
            )
        )
        share = np.where(value > 0.0, np.abs(exposure_units).astype(np.float64) / value, 0.0)
    carried = np.maximum.accumulate(np.where(np.isin(day, present), np.arange(len(day)), 0))
    return Days(
        day=day,
        equity=spread(value[last], 0.0)[carried],
        growth=spread(growth, 1.0),
        top=spread(top, 1.0),
        bottom=spread(bottom, 1.0),
        fall=spread(_falls(value, first, begin), 0.0),
        marks=spread((last - first + 1).astype(np.float64), 0.0),
        exposed=spread(np.add.reduceat((exposure_units != 0).astype(np.float64), first), 0.0),
        exposure=spread(np.add.reduceat(share, first), 0.0),
        start=float(cash),
        length=float(times_ns[-1] + bar_ns - times_ns[0]) / DAY_NS,
    )


def _falls(value: Floats, first: Ints, begin: Floats) -> Floats:
    """Deepest fall from a peak inside each day (its start included), as a share of the peak."""
    falls = np.zeros(len(first))
    ends = np.append(first[1:], len(value))
    for index, (start, end) in enumerate(zip(first.tolist(), ends.tolist(), strict=True)):
        path = value[start:end]
        peak = np.maximum(np.maximum.accumulate(path), begin[index])
        if peak[0] > 0.0:
            falls[index] = ((peak - path) / peak).max()
    return falls


def sum_by_day(times_ns: Ints, bar_ns: int, values: Floats, days: Days) -> Floats:
    """Sums of ``values`` over the days of ``days``: float64[n]; what lies outside is left out.

    :param times_ns: int64[m], open times of the bars in which the values arose.
    :param values: float64[m].
    """
    if len(days) == 0 or len(times_ns) == 0:
        return np.zeros(len(days))
    row = day_of(times_ns, bar_ns) - days.day[0]
    inside = (row >= 0) & (row < len(days))
    return np.bincount(row[inside], weights=values[inside], minlength=len(days)).astype(np.float64)
