"""What the gate holds, as integers. A limit of 0 is off."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("calibrated", "published", "fraction", "lots")
"""Sizing methods; the position is the kernel's code."""


MAX_STOP_GUARD = 40
"""The most protective stops that the guard can count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Limits on an order when it is sent (S17); reduce-only orders and cancels always pass.

    :param max_position_bp: value of one position ÷ equity.
    :param max_exposure_bp: value of all positions ÷ equity; at most 10,000 (no leverage).
    :param max_order_units: value of one order, in 1e-8 of the settlement currency.
    :param max_loss_per_trade_bp: loss at the stop, costs of both legs included, ÷ equity.
    :param daily_loss_bp: (loss since 00:00 UTC or over 24 h, the larger, + this order's loss at its
        stop) ÷ equity at the start of the day.
    :param max_trades_per_day: approved entries per UTC day.
    :param price_band_bp: distance of a limit or trigger from the last close.
    :param require_stop: refuse entries without a protective stop.
    :param cool_down_bars: bars after a protective exit before its side may be entered again while
        the intent stays on it; 0: only once the intent has left that side.
    :param stop_guard_count, stop_guard_bars, stop_guard_pause_bars: after this many protective stops (at
        most ``MAX_STOP_GUARD``) within so many bars, over all instruments, refuse entries for so many bars.
    :param drawdown_bp: drawdown from the high-water mark of equity that opens the breaker.
    :param drawdown_pause_bars: how long the breaker stays open; 0: until the run ends. When it
        closes, the high-water mark starts anew.
    """

    max_position_bp: int = 5_000
    max_exposure_bp: int = 10_000
    max_order_units: int = 0
    max_loss_per_trade_bp: int = 200
    daily_loss_bp: int = 500
    max_trades_per_day: int = 0
    price_band_bp: int = 0
    require_stop: bool = True
    cool_down_bars: int = 0
    stop_guard_count: int = 0
    stop_guard_bars: int = 0
    stop_guard_pause_bars: int = 0
    drawdown_bp: int = 2_000
    drawdown_pause_bars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRules:
    """How an intent becomes lots (S19).

    :param method: ``calibrated`` (fractional Kelly from the agents' closed trades), ``published``
        (the implementation plan's formula), ``fraction`` (the wished share of equity, scaled by
        exposure) or ``lots`` (a fixed quantity, scaled by exposure).
    :param kelly_bp: share of full Kelly, 2,500 for a quarter.
    :param prior_trades: weight of the zero-edge prior, in trades.
    :param probe_bp: equity at risk at the stop, costs included, while the calibrated Kelly is smaller: without it
        an agent without a record could never earn one.
    :param fixed_lots: per instrument in sorted order, for ``lots``.
    :param risk_scaling_bp: the plan's ``risk_scaling``, for ``published``.
    """

    method: str = "calibrated"
    kelly_bp: int = 2_500
    prior_trades: int = 30
    probe_bp: int = 25
    fixed_lots: tuple[int, ...] = ()
    risk_scaling_bp: int = 10_000
