"""What a bar does to working orders: its time, its open, its range (E1-E4, F1-F10, B4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import (
    EXPIRED,
    FOK,
    FOK_KILLED,
    IOC,
    IOC_REST,
    LIMIT,
    MARKET,
    NEVER,
    PROTECTIVE,
    SEEN,
    STOP,
    STOP_LIMIT,
    TRAILING,
    TRIGGERED,
)
from coinswarm.simulator.kernel.fills import fill
from coinswarm.simulator.kernel.money import muldiv, value
from coinswarm.simulator.kernel.orders import end_order, withdraw_entry
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I1, I2


@jit
def expire_and_fund(tab: I2, orders: I2, fund_ns: I1, fund_ppb: I1, k: int, bar_ns: int) -> None:
    """E1 and E2."""
    r = tab[at.I + k, at.ENTRY_SLOT]
    if r >= 0 and 0 < orders[r, at.O_EXPIRE] <= bar_ns:
        end_order(tab, orders, k, at.ENTRY_SLOT, orders[r, at.O_EXPIRE], EXPIRED)
    i, end = tab[at.I + k, at.FUND], tab[at.I + k, at.FUND_END]
    while i < end and fund_ns[i] <= bar_ns:
        pos = tab[at.I + k, at.POS]
        if pos != 0:
            rate = fund_ppb[i]
            due = muldiv(value(tab, k, abs(pos), tab[at.I + k, at.CLOSE]), abs(rate), 1_000_000_000)
            if (pos > 0) != (rate > 0):
                due = -due
            tab[at.SC, at.CASH] -= due
            tab[at.SC, at.FUNDING] += due
            tab[at.I + k, at.T_CASH] -= due
        i += 1
    tab[at.I + k, at.FUND] = i


@jit
def at_open(tab: I2, orders: I2, fills: I2, trades: I2, k: int, bar_ns: int, o: int) -> None:
    """E3: the instrument's working orders, in sequence order, at the open (F1-F5)."""
    last = -1
    while True:
        slot, r = -1, NEVER
        for candidate in range(at.ENTRY_SLOT, at.TAKE_SLOT + 1):
            q = tab[at.I + k, candidate]
            if last < q < r:
                slot, r = candidate, q
        if slot < 0:
            return
        last = r
        if orders[r, at.O_DECIDED] > bar_ns or (
            orders[r, at.O_FLAGS] & PROTECTIVE and orders[r, at.O_DECIDED] == bar_ns
        ):
            continue
        side, kind, limit = orders[r, at.O_SIDE], orders[r, at.O_KIND], orders[r, at.O_LIMIT]
        first = not orders[r, at.O_STATE] & SEEN
        orders[r, at.O_STATE] |= SEEN
        if kind in (STOP, TRAILING, STOP_LIMIT) and not orders[r, at.O_STATE] & TRIGGERED:
            if (o - orders[r, at.O_TRIGGER]) * side < 0:
                continue
            orders[r, at.O_STATE] |= TRIGGERED  # F2, F4
            first = True
            if orders[r, at.O_FLAGS] & PROTECTIVE:
                withdraw_entry(tab, orders, k, bar_ns, -side)
        if kind in (LIMIT, STOP_LIMIT):
            if (limit - o) * side > 0:  # F3, F4
                fill(tab, orders, fills, trades, k, slot, bar_ns, o, 1 if first else 0, 0)
        else:  # F1, F2, B4
            fill(tab, orders, fills, trades, k, slot, bar_ns, o, 1, 0)
        if tab[at.I + k, slot] == r and orders[r, at.O_TIF] == IOC:  # F5
            end_order(tab, orders, k, slot, bar_ns, IOC_REST)
        elif tab[at.I + k, slot] == r and orders[r, at.O_TIF] == FOK:
            end_order(tab, orders, k, slot, bar_ns, FOK_KILLED)


@jit
def stop_inside(tab: I2, orders: I2, fills: I2, trades: I2, k: int, r: int, bar_ns: int, hi: int, lo: int) -> None:
    """F6 for the protective stop."""
    if orders[r, at.O_STATE] & TRIGGERED:
        return  # B4: waits for the next open
    side, trigger = orders[r, at.O_SIDE], orders[r, at.O_TRIGGER]
    if (side < 0 and lo <= trigger) or (side > 0 and hi >= trigger):
        orders[r, at.O_STATE] |= TRIGGERED
        withdraw_entry(tab, orders, k, bar_ns, -side)
        ref = trigger
        if orders[r, at.O_DECIDED] == bar_ns:
            ref = min(ref, orders[r, at.O_BORN_REF]) if side < 0 else max(ref, orders[r, at.O_BORN_REF])
        fill(tab, orders, fills, trades, k, at.STOP_SLOT, bar_ns, ref, 1, 1)


@jit
def inside_bar(tab: I2, orders: I2, fills: I2, trades: I2, k: int, bar_ns: int, hi: int, lo: int) -> None:
    """E4: what the bar's range does (F6-F10)."""
    r = tab[at.I + k, at.STOP_SLOT]
    if r >= 0:
        stop_inside(tab, orders, fills, trades, k, r, bar_ns, hi, lo)
    r = tab[at.I + k, at.TAKE_SLOT]
    if r >= 0:
        limit, side = orders[r, at.O_LIMIT], orders[r, at.O_SIDE]
        if (side > 0 and lo < limit) or (side < 0 and hi > limit):  # F7
            fill(tab, orders, fills, trades, k, at.TAKE_SLOT, bar_ns, limit, 0, 1)
    r = tab[at.I + k, at.ENTRY_SLOT]
    if r < 0 or orders[r, at.O_DECIDED] > bar_ns or orders[r, at.O_KIND] == MARKET:
        return
    had = tab[at.I + k, at.STOP_SLOT]
    side, kind, limit, trigger = (
        orders[r, at.O_SIDE],
        orders[r, at.O_KIND],
        orders[r, at.O_LIMIT],
        orders[r, at.O_TRIGGER],
    )
    if kind in (STOP, STOP_LIMIT) and not orders[r, at.O_STATE] & TRIGGERED:
        if (side > 0 and hi >= trigger) or (side < 0 and lo <= trigger):
            orders[r, at.O_STATE] |= TRIGGERED
            if kind == STOP or (limit - trigger) * side > 0:  # F6, F9
                fill(tab, orders, fills, trades, k, at.ENTRY_SLOT, bar_ns, trigger, 1, 1)
    elif kind != STOP and ((side > 0 and lo < limit) or (side < 0 and hi > limit)):  # F7
        fill(tab, orders, fills, trades, k, at.ENTRY_SLOT, bar_ns, limit, 0, 1)
    r = tab[at.I + k, at.STOP_SLOT]
    if r >= 0 and r != had:  # F10
        stop_inside(tab, orders, fills, trades, k, r, bar_ns, hi, lo)
