"""Every measure of a run with its bootstrap interval, or with the reason why it has none."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coinswarm.evidence import statistics as st
from coinswarm.evidence.bootstrap import RESAMPLES, block_length, distributions, generator, percentiles
from coinswarm.evidence.estimate import DAY_MEASURES, TRADE_MEASURES, Estimate, too_few

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.evidence.bootstrap import Statistic
    from coinswarm.evidence.days import Days

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

MIN_DAYS = 20
"""Below this a bootstrap interval would claim more than so few days can show."""
MIN_TRADES = 10
"""The same for trades."""
MIN_YEARLY_DAYS = 30
"""A return over fewer days is not blown up to a year."""
_LOST = 0.05
"""Share of resamples that may leave a statistic undefined before it has no interval."""
FOR = " for an interval"
_BATCHES = 1_000
"""Trades beyond twice this number are resampled in so many batches of consecutive trades."""


def mean_block_days(days: Days) -> float:
    """Mean block length for daily observations: the larger of what returns and their squares ask for.

    Returns are hardly autocorrelated, but their size is (volatility clusters), and drawdowns live on it.
    """
    if days.ruined:
        return 1.0
    returns = days.returns
    return max(block_length(returns), block_length(np.square(returns)))


def measure_days(
    days: Days, traded: Floats, costs: Floats, *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """``DAY_MEASURES`` of a run, each with a 95 % interval from a stationary bootstrap over its days.

    All measures share the same resamples. The interval of a path's number (drawdown, days under
    water) tells what histories of the same length and kind would have shown.

    :param traded: float64[n], traded value per day, in units of 1e-8.
    :param costs: float64[n], fees, spread, slippage and funding per day, same unit.
    :param seed: the run's seed: the same seed gives the same intervals.
    """
    growth, profit = days.growth, days.equity - days.before
    yearly = st.YEAR_DAYS * len(days) / days.length if len(days) else 0.0
    statistics: dict[str, Statistic] = {
        "total_return": st.total_return(growth),
        "cagr": st.cagr(growth, days.length),
        "volatility": st.volatility(growth),
        "sharpe": st.sharpe(growth),
        "sortino": st.sortino(growth),
        "max_drawdown": st.max_drawdown(days),
        "underwater_days": st.underwater_days(growth),
        "turnover": st.of_sums(traded, days.equity, yearly),
        "exposure_time": st.of_sums(days.exposed, days.marks),
        "exposure_mean": st.of_sums(days.exposure, days.marks),
        "cost_rate": st.of_sums(costs, traded),
        "cost_share": _cost_share(costs, profit),
    }
    reasons = _day_reasons(days, traded, costs, profit)
    still = "" if (np.abs(growth - 1.0) > st.STILL).any() else "equity never changed"
    few = too_few(len(days), "day", MIN_DAYS, FOR) if len(days) < MIN_DAYS else ""
    draw = _Draw(len(days), mean_block_days(days), generator(seed, "days"), resamples)
    return _estimate(statistics, draw, undefined=reasons, no_interval=few or still)


def _cost_share(costs: Floats, profit: Floats) -> Statistic:
    """Costs ÷ (profit + costs); an infinity where costs left nothing of the profit before them."""
    gross = costs + profit

    def statistic(rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Floats:
        paid, earned = costs[rows].sum(axis=1), gross[rows].sum(axis=1)
        return np.where(earned > 0.0, st.divide(paid, earned), np.inf)

    return statistic


def _day_reasons(days: Days, traded: Floats, costs: Floats, profit: Floats) -> dict[str, str]:
    """Why a measure of ``days`` is not defined, by name."""
    names = [m.name for m in DAY_MEASURES]
    if len(days) == 0:
        return dict.fromkeys(names, "no bars")
    if days.ruined:
        return dict.fromkeys(names, "equity fell to zero")
    reasons: dict[str, str] = {}
    growth = days.growth
    if days.length < MIN_YEARLY_DAYS:
        reasons["cagr"] = f"{days.length:.4g} days are not blown up to a year (at least {MIN_YEARLY_DAYS})"
    if len(days) == 1:
        reasons["volatility"] = reasons["sharpe"] = reasons["sortino"] = "one day has no spread"
    elif growth.std(ddof=1) <= st.STILL:
        reasons["sharpe"] = "daily returns do not vary"
    if "sortino" not in reasons and growth.min() >= 1.0 - st.STILL:
        reasons["sortino"] = "no day lost money"
    if not traded.any():
        reasons["cost_rate"] = "nothing was traded"
    if not costs.any():
        reasons["cost_share"] = "there were no costs"
    elif float((profit + costs).sum()) <= 0.0:
        reasons["cost_share"] = "no profit before costs"
    return reasons


def compare_days(days: Days, benchmark: Days, *, seed: int, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """By how much a run beat its benchmark: run - benchmark, on the same days in every resample.

    :param benchmark: of the same days.
    :returns: ``cagr`` and ``sharpe``.
    :raises ValueError: for other days.
    """
    if not np.array_equal(days.day, benchmark.day):
        message = f"{len(days)} and {len(benchmark)} days of different periods cannot be compared"
        raise ValueError(message)
    statistics: dict[str, Statistic] = {
        "cagr": _difference(st.cagr(days.growth, days.length), st.cagr(benchmark.growth, benchmark.length)),
        "sharpe": _difference(st.sharpe(days.growth), st.sharpe(benchmark.growth)),
    }
    reasons: dict[str, str] = {}
    for each in (days, benchmark):
        zeros = np.zeros(len(each))
        found = _day_reasons(each, zeros, zeros, zeros)
        reasons.update({k: v for k, v in found.items() if k in statistics})
    few = too_few(len(days), "day", MIN_DAYS, FOR) if len(days) < MIN_DAYS else ""
    block = max(mean_block_days(days), mean_block_days(benchmark))
    draw = _Draw(len(days), block, generator(seed, "compare"), resamples)
    return _estimate(statistics, draw, undefined=reasons, no_interval=few)


def _difference(left: Statistic, right: Statistic) -> Statistic:
    """``left - right`` on the same rows."""
    return lambda rows: left(rows) - right(rows)


def measure_trades(pnl: Ints, *, seed: int, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """``TRADE_MEASURES`` of closed trades, each with a 95 % interval from a stationary bootstrap over trades.

    :param pnl: int64[n], profit of each closed trade after costs in the order of closing, units of 1e-8.
    """
    n = len(pnl)
    value = pnl.astype(np.float64)
    won, lost = (pnl > 0).astype(np.float64), (pnl < 0).astype(np.float64)
    names = [m.name for m in TRADE_MEASURES]
    undefined: dict[str, str] = {}
    if n == 0:
        undefined = dict.fromkeys(names, "no closed trades")
    elif not lost.any():
        undefined = dict.fromkeys(("profit_factor", "payoff"), "no losing trade")
    elif not won.any():
        undefined = {"payoff": "no winning trade"}
    few = too_few(n, "closed trade", MIN_TRADES, FOR) if n < MIN_TRADES else ""
    same = "all trades ended alike: resampling cannot tell how certain that is"
    alike = same if n and (won.all() or not won.any()) else ""
    block = max(block_length(value), block_length(won))
    size = math.ceil(n / _BATCHES) if n > 2 * _BATCHES else 1
    first = np.arange(0, max(n, 1), size)
    sums = [
        np.add.reduceat(x, first) if n else np.zeros(1)
        for x in (np.ones(n), won, lost, np.maximum(value, 0.0), np.maximum(-value, 0.0), value)
    ]
    count, wins, losses, gains, pains, total = sums

    def payoff(rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Floats:
        mean_win = st.divide(gains[rows].sum(axis=1), wins[rows].sum(axis=1))
        mean_loss = st.divide(pains[rows].sum(axis=1), losses[rows].sum(axis=1))
        return np.asarray(st.divide(mean_win, mean_loss))

    statistics: dict[str, Statistic] = {
        "win_rate": st.of_sums(wins, count),
        "profit_factor": st.of_sums(gains, pains),
        "payoff": payoff,
        "expectancy": st.of_sums(total, count),
    }
    draw = _Draw(len(first), max(block / size, 1.0), generator(seed, "trades"), resamples)
    estimates = _estimate(statistics, draw, undefined=undefined, no_interval=few or alike)
    return {name: replace(e, count=n) for name, e in estimates.items()}


class _Draw(NamedTuple):
    """How observations are resampled."""

    n: int
    block: float
    rng: np.random.Generator
    resamples: int


def _estimate(
    statistics: Mapping[str, Statistic], draw: _Draw, *, undefined: Mapping[str, str], no_interval: str
) -> dict[str, Estimate]:
    """Values on the observations as they were, and intervals from their resamples.

    :param undefined: why a statistic has no value, by name.
    :param no_interval: why none has an interval; empty: they have.
    """
    n = draw.n
    once = np.arange(n, dtype=np.int64)[np.newaxis]
    defined = {name: s for name, s in statistics.items() if name not in undefined}
    values = {name: float(s(once)[0]) for name, s in defined.items()}
    drawn = {} if no_interval else distributions(defined, n, draw.block, draw.rng, resamples=draw.resamples)
    estimates = {}
    for name in statistics:
        if name in undefined:
            estimates[name] = Estimate(why=undefined[name], count=n)
        elif not math.isfinite(values[name]):
            estimates[name] = Estimate(why="beyond all numbers", count=n)
        elif no_interval:
            estimates[name] = Estimate(value=values[name], why=no_interval, count=n)
        else:
            estimates[name] = _with_interval(values[name], drawn[name], n)
    return estimates


def _with_interval(value: float, drawn: Floats, n: int) -> Estimate:
    """Value and percentile interval, where enough of the resamples have the statistic."""
    usable = drawn[~np.isnan(drawn)]
    lost = len(drawn) - len(usable)
    if lost > _LOST * len(drawn):
        return Estimate(value=value, why=f"not defined in {lost} of {len(drawn)} resamples", count=n)
    low, high = percentiles(usable)
    bounded = math.isfinite(low) and math.isfinite(high)
    why = "" if bounded else "no upper bound: some resamples leave nothing to divide by"
    return Estimate(
        value=value,
        low=low if math.isfinite(low) else None,
        high=high if math.isfinite(high) else None,
        why=why,
        count=n,
    )
