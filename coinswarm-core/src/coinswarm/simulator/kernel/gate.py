"""Why an entry is refused, and what a mark means to the limits (E5, S17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import (
    CALIBRATED,
    DAILY_LOSS,
    DAY_NS,
    DRAWDOWN,
    EXPOSURE_LIMIT,
    LOSS_LIMIT,
    MIN_NOTIONAL,
    NEVER,
    NO_EQUITY,
    NO_SIZE,
    NO_STOP,
    NOT_SHORTABLE,
    ORDER_LIMIT,
    POSITION_LIMIT,
    PRICE_BAND,
    STOP_GUARD,
    TRADES_PER_DAY,
)
from coinswarm.simulator.kernel.money import muldiv, value
from coinswarm.simulator.kernel.sizing import loss_ticks
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I2


@jit
def gate(
    tab: I2,
    orders: I2,
    k: int,
    now: int,
    before: int,
    equity: int,
    side: int,
    lots: int,
    held: int,
    limit: int,
    trigger: int,
    stop: int,
) -> int:
    """S17: 0, or why an entry is refused; the checks in the order of ``risk/gate.py``."""
    price = tab[at.I + k, at.CLOSE]
    if equity <= 0:
        return NO_EQUITY
    if side < 0 and tab[at.I + k, at.SHORTABLE] == 0:
        return NOT_SHORTABLE
    if now < tab[at.SC, at.BREAK_UNTIL]:
        return DRAWDOWN
    if now < tab[at.SC, at.GUARD_UNTIL]:
        return STOP_GUARD
    if tab[at.PAR, at.MAX_TRADES] > 0 and tab[at.SC, at.TRADES_TODAY] >= tab[at.PAR, at.MAX_TRADES]:
        return TRADES_PER_DAY
    if stop <= 0 and (tab[at.PAR, at.REQUIRE_STOP] or tab[at.PAR, at.METHOD] == CALIBRATED):
        return NO_STOP
    if lots < 1:
        return NO_SIZE
    worth = value(tab, k, lots, price)
    lowest = max(price - stop, 1) if side > 0 else price
    if value(tab, k, lots, lowest) < tab[at.I + k, at.MIN_UNITS]:
        return MIN_NOTIONAL
    if tab[at.PAR, at.MAX_ORDER] > 0 and worth > tab[at.PAR, at.MAX_ORDER]:
        return ORDER_LIMIT
    mine = worth + value(tab, k, held, price)
    if tab[at.PAR, at.MAX_POSITION] > 0 and mine > muldiv(equity, tab[at.PAR, at.MAX_POSITION], 10_000):
        return POSITION_LIMIT
    if tab[at.PAR, at.MAX_EXPOSURE] > 0:
        gross = mine
        for j in range(tab[at.PAR, at.INSTRUMENTS]):
            if j != k:
                open_lots = abs(tab[at.I + j, at.POS])
                e = tab[at.I + j, at.ENTRY_SLOT]
                if e >= 0:
                    open_lots += orders[e, at.O_LOTS] - orders[e, at.O_FILLED]
                gross += value(tab, j, open_lots, tab[at.I + j, at.CLOSE])
        if gross > muldiv(equity, tab[at.PAR, at.MAX_EXPOSURE], 10_000):
            return EXPOSURE_LIMIT
    loss = 0
    guard = tab[at.I + k, at.STOP_SLOT] if held > 0 else -1
    if guard >= 0:  # B2: it stays where it is
        stop = max((price - orders[guard, at.O_TRIGGER]) * side, 0)
    if stop > 0 or guard >= 0:
        loss = value(tab, k, lots, loss_ticks(tab, price, stop))
        if tab[at.PAR, at.MAX_LOSS] > 0 and loss > muldiv(equity, tab[at.PAR, at.MAX_LOSS], 10_000):
            return LOSS_LIMIT
    if tab[at.PAR, at.DAILY_LOSS_BP] > 0:
        lost = max(tab[at.SC, at.DAY_START] - equity, before - equity, 0)
        if lost + loss > muldiv(max(tab[at.SC, at.DAY_START], 0), tab[at.PAR, at.DAILY_LOSS_BP], 10_000):
            return DAILY_LOSS
    if tab[at.PAR, at.BAND] > 0:
        width = muldiv(price, tab[at.PAR, at.BAND], 10_000)
        if (limit > 0 and abs(limit - price) > width) or (trigger > 0 and abs(trigger - price) > width):
            return PRICE_BAND
    return 0


@jit
def mark(tab: I2, now: int, equity: int) -> None:
    """E5: what an equity mark means to the day, the high-water mark and the breaker (S17)."""
    if now >= tab[at.SC, at.NEXT_DAY]:
        tab[at.SC, at.DAY_START] = equity if now % DAY_NS == 0 else tab[at.SC, at.LAST_EQUITY]
        tab[at.SC, at.NEXT_DAY] = (now // DAY_NS + 1) * DAY_NS
        tab[at.SC, at.TRADES_TODAY] = 0
    tab[at.SC, at.LAST_EQUITY] = equity
    if tab[at.SC, at.BREAK_UNTIL] != 0 and now >= tab[at.SC, at.BREAK_UNTIL]:
        tab[at.SC, at.BREAK_UNTIL] = 0
        tab[at.SC, at.PEAK] = equity
    peak = tab[at.SC, at.PEAK]
    if equity > peak:
        tab[at.SC, at.PEAK] = equity
    elif tab[at.PAR, at.DRAWDOWN_BP] > 0 and tab[at.SC, at.BREAK_UNTIL] == 0:
        if peak - equity > muldiv(peak, tab[at.PAR, at.DRAWDOWN_BP], 10_000):
            pause = tab[at.PAR, at.DRAWDOWN_PAUSE]
            tab[at.SC, at.BREAK_UNTIL] = now + pause * tab[at.PAR, at.BAR] if pause > 0 else NEVER
