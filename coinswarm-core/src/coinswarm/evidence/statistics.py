"""The statistics themselves, over many resamples at once: rows int64[batch, n] in, float64[batch] out.

NaN: not defined for that resample. An infinity: defined and without bound.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from coinswarm.evidence.bootstrap import Rows, Statistic
    from coinswarm.evidence.days import Days

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Array = np.ndarray[Any, np.dtype[np.float64]]

YEAR_DAYS = 365
"""Crypto trades every day of the year (S22)."""

STILL = 1e-12
"""Daily returns that vary less than this do not vary: what is left is rounding."""


def divide(above: Array, below: Array) -> Array:
    """``above ÷ below``; NaN where nothing is divided by nothing, an infinity where something is."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # a denormal may be below
        result: Array = above / below
        return result


def of_sums(above: Floats, below: Floats, scale: float = 1.0) -> Statistic:
    """The ratio of two sums over the same observations, times ``scale``."""
    return lambda rows: scale * divide(above[rows].sum(axis=1), below[rows].sum(axis=1))


def total_return(growth: Floats) -> Statistic:
    """Product of the daily growth - 1."""
    return lambda rows: growth[rows].prod(axis=1) - 1.0


def cagr(growth: Floats, length: float) -> Statistic:
    """Return per year of 365 days.

    :param length: days that the growth took: those of the run, in every resample.
    """

    def statistic(rows: Rows) -> Floats:
        with np.errstate(over="ignore"):  # a run of a few days can grow beyond all numbers in a year
            result: Floats = growth[rows].prod(axis=1) ** (YEAR_DAYS / length) - 1.0
        return result

    return statistic


def volatility(growth: Floats) -> Statistic:
    """Standard deviation (n - 1) of the daily returns * √365."""
    return lambda rows: growth[rows].std(axis=1, ddof=1) * math.sqrt(YEAR_DAYS)


def sharpe(growth: Floats) -> Statistic:
    """Mean ÷ standard deviation (n - 1) of the daily returns * √365, rf = 0 (S22).

    Days that do not move at all have the ratio 0: nothing gained at no risk. Days that all gain or lose the
    same have none.

    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), 49-58.
    """
    returns = growth - 1.0

    def statistic(rows: Rows) -> Floats:
        drawn = returns[rows]
        mean, deviation = drawn.mean(axis=1), drawn.std(axis=1, ddof=1)
        ratio = divide(mean, np.where(deviation > STILL, deviation, np.nan)) * math.sqrt(YEAR_DAYS)
        return np.where(_still(mean, deviation), 0.0, ratio)

    return statistic


def sortino(growth: Floats) -> Statistic:
    """Mean ÷ downside deviation of the daily returns * √365, target 0.

    Days that do not move at all have the ratio 0. The downside deviation is the root mean square of
    min(return, 0) over *all* days (F. A. Sortino and L. N. Price, Journal of Investing 3 (1994), 59-64).
    """
    returns = growth - 1.0
    squares = np.square(np.minimum(returns, 0.0))

    def statistic(rows: Rows) -> Floats:
        mean, downside = returns[rows].mean(axis=1), np.sqrt(squares[rows].mean(axis=1))
        ratio = divide(mean, np.where(downside > STILL, downside, 0.0)) * math.sqrt(YEAR_DAYS)
        return np.where(_still(mean, downside), 0.0, ratio)

    return statistic


def _still(mean: Floats, spread: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where days neither gained, nor lost, nor varied."""
    return (np.abs(mean) <= STILL) & (spread <= STILL)


def max_drawdown(days: Days) -> Statistic:
    """Deepest fall from an earlier peak over all marks, as a share of the peak.

    Days laid end to end in another order give an exact result without their marks: a fall either
    lies inside a day, or runs from the highest top of the days before to the day's bottom.
    """
    growth, top, bottom, fall = days.growth, days.top, days.bottom, days.fall

    def statistic(rows: Rows) -> Floats:
        end = np.cumprod(growth[rows], axis=1)
        begin = np.empty_like(end)
        begin[:, 0] = 1.0
        begin[:, 1:] = end[:, :-1]
        peak = np.maximum.accumulate(begin * top[rows], axis=1)
        before = np.empty_like(end)
        before[:, 0] = 1.0
        before[:, 1:] = peak[:, :-1]
        across = 1.0 - begin * bottom[rows] / before
        result: Floats = np.maximum(across, fall[rows]).max(axis=1)
        return np.maximum(result, 0.0)

    return statistic


def underwater_days(growth: Floats) -> Statistic:
    """Most days in a row whose end lies below the end of an earlier day (the start counts as one)."""

    def statistic(rows: Rows) -> Floats:
        count = rows.shape[1]
        path = np.ones((len(rows), count + 1))
        np.cumprod(growth[rows], axis=1, out=path[:, 1:])
        peak = np.maximum.accumulate(path, axis=1)
        day = np.arange(count + 1)
        dry = np.maximum.accumulate(np.where(path >= peak * (1.0 - STILL), day, 0), axis=1)
        longest: Floats = (day - dry).max(axis=1).astype(np.float64)
        return longest

    return statistic
