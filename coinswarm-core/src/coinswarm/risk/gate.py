"""The last word: the only maker of ``RiskApproved[Order]`` (S17, S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.domain.order import Order, OrderFlags, Refusal, RiskApproved, RiskRefused
from coinswarm.errors import InvariantError

if TYPE_CHECKING:
    from coinswarm.risk.limits import RiskLimits
    from coinswarm.risk.protections import Protections
    from coinswarm.risk.sizing import Costing, Measure


APPROVED = Refusal.APPROVED
_REDUCE_ONLY = OrderFlags.REDUCE_ONLY.value


class Circumstances(NamedTuple):
    """What the gate must know beside the order itself.

    :param now: when it is decided.
    :param measure: the instrument's arithmetic.
    :param shortable: whether it may be sold short.
    :param min_units: its smallest notional.
    :param price: last close, ticks.
    :param equity: at the last mark, money units.
    :param held: lots already held on the order's side.
    :param others: worth of all other positions and working entries, money units; 0 will do where
        ``RiskGate.counts_others`` is False.
    :param guard: trigger of the stop that stands for what is held, ticks; 0 for none.
    """

    now: int
    measure: Measure
    shortable: bool
    min_units: int
    price: int
    equity: int
    held: int
    others: int
    guard: int


class RiskGate:
    """Holds the limits of one run against every order.

    :param needs_stop: refuse entries without a protective stop.
    """

    def __init__(self, limits: RiskLimits, protections: Protections, costing: Costing, *, needs_stop: bool) -> None:
        self._limits = limits
        self._protections = protections
        self._costing = costing
        self._needs_stop = needs_stop
        self.counts_others = bool(limits.max_exposure_bp)
        """Whether what else is held and ordered matters to a verdict."""

    def admit(self, order: Order, at: Circumstances) -> RiskApproved[Order] | RiskRefused[Order]:
        """Approve an entry, or refuse it with the first reason that holds."""
        reason = self._first_reason(order, at)
        if reason is not APPROVED:
            return RiskRefused(order, reason)
        self._protections.entered()
        return RiskApproved(order)

    def reduce(self, order: Order) -> RiskApproved[Order]:
        """Approve a reduction: exits always pass.

        :raises InvariantError: for an order that is not reduce-only.
        """
        if not int(order.flags) & _REDUCE_ONLY:
            message = f"{order} asked to pass as a reduction without being reduce-only"
            raise InvariantError(message)
        return RiskApproved(order)

    def _first_reason(self, order: Order, at: Circumstances) -> Refusal:  # noqa: C901, PLR0911, PLR0912 - one check a line
        limits, protections = self._limits, self._protections
        if at.equity <= 0:
            return Refusal.NO_EQUITY
        if order.side < 0 and not at.shortable:
            return Refusal.NOT_SHORTABLE
        if protections.breaker_open(at.now):
            return Refusal.DRAWDOWN
        if protections.guard_on(at.now):
            return Refusal.STOP_GUARD
        if limits.max_trades_per_day and protections.trades_today >= limits.max_trades_per_day:
            return Refusal.TRADES_PER_DAY
        if order.stop_ticks <= 0 and self._needs_stop:
            return Refusal.NO_STOP
        if order.lots < 1:
            return Refusal.NO_SIZE
        value, price, equity = at.measure.value, at.price, at.equity
        worth = value(order.lots, price)
        lowest = max(price - order.stop_ticks, 1) if order.side > 0 else price
        if at.min_units and value(order.lots, lowest) < at.min_units:  # large enough to be stopped out
            return Refusal.MIN_NOTIONAL
        if limits.max_order_units and worth > limits.max_order_units:
            return Refusal.ORDER_LIMIT
        mine = worth + value(at.held, price) if at.held else worth
        if limits.max_position_bp and mine > equity * limits.max_position_bp // 10_000:
            return Refusal.POSITION_LIMIT
        if limits.max_exposure_bp and mine + at.others > equity * limits.max_exposure_bp // 10_000:
            return Refusal.EXPOSURE_LIMIT
        loss = 0
        if order.stop_ticks > 0 or at.guard:
            away = max((price - at.guard) * order.side, 0) if at.guard else order.stop_ticks  # B2: it stays where it is
            loss = value(order.lots, self._costing.loss_ticks(price, away))
            if limits.max_loss_per_trade_bp and loss > equity * limits.max_loss_per_trade_bp // 10_000:
                return Refusal.LOSS_LIMIT
        if limits.daily_loss_bp:
            lost = protections.day_loss(equity)
            if lost + loss > max(protections.day_start, 0) * limits.daily_loss_bp // 10_000:
                return Refusal.DAILY_LOSS
        if limits.price_band_bp:
            width = price * limits.price_band_bp // 10_000
            if any(ticks and abs(ticks - price) > width for ticks in (order.limit, order.trigger)):
                return Refusal.PRICE_BAND
        return APPROVED
