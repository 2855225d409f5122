"""What the end of a trade means: to its record, to the agents that agreed, to the guards and the slots (B3, D5, S5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import CLOSED, OCO, PROTECTIVE, R_CAP_BP
from coinswarm.simulator.kernel.money import muldiv, value
from coinswarm.simulator.kernel.orders import end_order, withdraw_entry
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I2


@jit
def close_trade(tab: I2, trades: I2, k: int, bar_ns: int, pnl: int, stopped: int) -> None:
    """Record the trade that ended, credit the agents that agreed (S5), and run the stop guard."""
    n = tab[at.SC, at.N_TRADES]
    tab[at.SC, at.N_TRADES] = n + 1
    agree = tab[at.I + k, at.T_AGREE]
    risk = value(tab, k, tab[at.I + k, at.T_LOTS], tab[at.I + k, at.T_LOSS])
    trades[n, 0] = k
    trades[n, 1] = tab[at.I + k, at.T_SIDE]
    trades[n, 2] = tab[at.I + k, at.T_OPENED]
    trades[n, 3] = bar_ns
    trades[n, 4] = tab[at.I + k, at.T_LOTS]
    trades[n, 5] = pnl
    trades[n, 6] = tab[at.I + k, at.T_FEES]
    trades[n, 7] = risk
    trades[n, 8] = agree
    trades[n, 9] = stopped
    tab[at.I + k, at.T_SIDE] = 0
    if risk > 0:
        total = 0
        for a in range(tab[at.PAR, at.AGENTS]):
            if (agree >> a) & 1:
                total += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WEIGHT]
        r_bp = R_CAP_BP
        if abs(pnl) < R_CAP_BP // 10_000 * risk:
            r_bp = muldiv(abs(pnl), 10_000, risk)
        for a in range(tab[at.PAR, at.AGENTS]):
            if (agree >> a) & 1 and total > 0:
                share = tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WEIGHT] * 10_000 // total
                if pnl > 0:
                    tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WINS] += share
                    tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WON] += share * r_bp // 10_000
                else:
                    tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOSSES] += share
                    tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOST] += share * r_bp // 10_000
    if stopped and tab[at.PAR, at.GUARD_COUNT] > 0:
        now = bar_ns + tab[at.PAR, at.BAR]
        ring = at.RING + tab[at.SC, at.RING_AT]
        tab[at.SC, ring] = now
        tab[at.SC, at.RING_AT] = (tab[at.SC, at.RING_AT] + 1) % tab[at.PAR, at.GUARD_COUNT]
        oldest = tab[at.SC, at.RING + tab[at.SC, at.RING_AT]]
        if oldest >= 0 and oldest >= now - tab[at.PAR, at.GUARD_BARS] * tab[at.PAR, at.BAR]:
            tab[at.SC, at.GUARD_UNTIL] = now + tab[at.PAR, at.GUARD_PAUSE] * tab[at.PAR, at.BAR]


@jit
def flatten_slots(tab: I2, orders: I2, k: int, bar_ns: int, filler: int) -> None:
    """B3, D5: the position is flat; ``filler`` is the order that closed it."""
    protective = orders[filler, at.O_FLAGS] & PROTECTIVE
    side = -orders[filler, at.O_SIDE]
    other = OCO if protective else CLOSED
    end_order(tab, orders, k, at.STOP_SLOT, bar_ns, other)
    end_order(tab, orders, k, at.TAKE_SLOT, bar_ns, other)
    end_order(tab, orders, k, at.EXIT_SLOT, bar_ns, CLOSED)
    if protective:
        withdraw_entry(tab, orders, k, bar_ns, side)
    if protective and tab[at.I + k, at.WANT_SIDE] == side:  # D5
        tab[at.I + k, at.BLOCK_SIDE] = side
        tab[at.I + k, at.BLOCK_UNTIL] = bar_ns + (1 + tab[at.PAR, at.COOL_BARS]) * tab[at.PAR, at.BAR]
        tab[at.I + k, at.BLOCK_SAID] = 0
