"""A measured number with its uncertainty, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass


def counted(number: int, noun: str) -> str:
    """``1 day``, ``2 days``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def too_few(number: int, noun: str, least: int, what: str = "") -> str:
    """``1 day is too few for an interval (at least 20)``."""
    return f"{counted(number, noun)} {'is' if number == 1 else 'are'} too few{what} (at least {least})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number and its interval; never a NaN.

    :param value: what was measured; None where it is not defined.
    :param low, high: the interval's ends; None where there is none, or where one end is open.
    :param why: why ``value`` or an end of the interval is None; empty where all three are there.
    :param count: observations behind it (days or trades).
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number means.

    :param name: its key in JSON.
    :param label: its words in a table.
    :param unit: ``share`` (1.0 is 100 %), ``ratio``, ``times`` (per year), ``days`` or ``money``.
    :param definition: how it is computed, in one sentence, for reports.
    """

    name: str
    label: str
    unit: str
    definition: str


DAY_MEASURES = (
    Measure("total_return", "Total return", "share", "Last equity / starting cash - 1."),
    Measure("cagr", "Return per year", "share", "(Last equity / starting cash) ^ (365 / length in days) - 1."),
    Measure("volatility", "Volatility per year", "share", "Standard deviation of daily returns * sqrt(365)."),
    Measure(
        "sharpe", "Sharpe", "ratio", "Mean / standard deviation of daily UTC returns * sqrt(365); idle days count."
    ),
    Measure("sortino", "Sortino", "ratio", "Mean daily return / root mean square of the daily losses * sqrt(365)."),
    Measure("max_drawdown", "Max drawdown", "share", "Deepest fall of equity from an earlier peak, over all marks."),
    Measure(
        "underwater_days", "Longest under water", "days", "Most days in a row that ended below an earlier day's end."
    ),
    Measure("turnover", "Turnover per year", "times", "Traded value / mean daily equity * 365 / length in days."),
    Measure("exposure_time", "Time in the market", "share", "Marks with a position / all marks."),
    Measure("exposure_mean", "Mean exposure", "share", "Mean over all marks of |position value| / equity."),
    Measure("cost_rate", "Costs / traded value", "share", "Fees, spread, slippage and funding / traded value."),
    Measure("cost_share", "Costs / gross profit", "share", "Costs / (profit + costs): what costs took of the profit."),
)
"""Measured over UTC days, in the order of a report."""

TRADE_MEASURES = (
    Measure("win_rate", "Win rate", "share", "Trades with a profit after costs / closed trades."),
    Measure("profit_factor", "Profit factor", "ratio", "Sum of the winning trades / sum of the losing trades."),
    Measure("payoff", "Payoff", "ratio", "Mean winning trade / mean losing trade."),
    Measure("expectancy", "Mean trade", "money", "Mean profit of a closed trade after costs."),
)
"""Measured over closed trades, in the order of a report."""
