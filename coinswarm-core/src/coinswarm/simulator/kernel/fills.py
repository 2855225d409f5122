"""How far an order fills, at what price, and what its brackets are then (B1, B2, P1-P4, Q1-Q5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import (
    BELOW_MINIMUM,
    CLOSED,
    FILLED,
    FOK,
    GTC,
    LIMIT,
    NO_FUNDS,
    OCO_FLAG,
    PPM,
    PROTECTIVE,
    REDUCE,
    STOP,
    TRAILING,
)
from coinswarm.simulator.kernel.money import fee_of, value
from coinswarm.simulator.kernel.orders import add_order, end_order
from coinswarm.simulator.kernel.sizing import loss_ticks
from coinswarm.simulator.kernel.trades import close_trade, flatten_slots
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I2


@jit
def fill(
    tab: I2, orders: I2, fills: I2, trades: I2, k: int, slot: int, bar_ns: int, ref: int, taker: int, inside: int
) -> int:
    """Fill the order in ``slot`` at reference price ``ref`` as far as Q1-Q5 allow; returns the lots filled."""
    r = tab[at.I + k, slot]
    side = orders[r, at.O_SIDE]
    pos = tab[at.I + k, at.POS]
    reduce = orders[r, at.O_FLAGS] & REDUCE
    want = orders[r, at.O_LOTS] - orders[r, at.O_FILLED]
    if reduce:
        if pos * side >= 0:  # Q2: nothing to reduce
            end_order(tab, orders, k, slot, bar_ns, CLOSED)
            return 0
        held = abs(pos)
        want = min(want, held)
        spot = tab[at.I + k, at.SHORTABLE] == 0
        if spot and value(tab, k, held, ref) < tab[at.I + k, at.MIN_UNITS]:  # Q5
            flow = value(tab, k, held, ref) * (1 if pos > 0 else -1)
            protective = orders[r, at.O_FLAGS] & PROTECTIVE
            stopped = 1 if protective and orders[r, at.O_KIND] != LIMIT else 0
            close_trade(tab, trades, k, bar_ns, tab[at.I + k, at.T_CASH] + flow, stopped)
            tab[at.I + k, at.T_CASH] = -flow
            end_order(tab, orders, k, slot, bar_ns, BELOW_MINIMUM)
            flatten_slots(tab, orders, k, bar_ns, r)
            return 0
    elif pos * side < 0 and tab[at.I + k, at.T_SIDE] != 0:  # Q3 (dust of the other side does not block)
        return 0
    lots = min(want, tab[at.I + k, at.CAP])
    if lots <= 0 or (orders[r, at.O_TIF] == FOK and lots < want):
        return 0
    if taker:
        adverse = (ref * (tab[at.PAR, at.SPREAD] + 2 * tab[at.PAR, at.SLIP]) + 2 * PPM - 1) // (2 * PPM)
        price = max(ref + side * adverse, 1)
        limit = orders[r, at.O_LIMIT]
        if limit > 0:
            price = min(price, limit) if side > 0 else max(price, limit)
        ppm = tab[at.PAR, at.TAKER]
    else:
        price = ref
        ppm = tab[at.PAR, at.MAKER]
    in_base = tab[at.PAR, at.FEE_BASE] != 0 and side > 0 and tab[at.I + k, at.SHORTABLE] == 0
    funds = True
    if side > 0 and not reduce:  # Q4
        worth = value(tab, k, lots, price)
        need = worth if in_base else worth + fee_of(worth, ppm)
        if need > tab[at.SC, at.CASH]:
            funds = False
            low, high = 0, lots
            while low < high:
                mid = (low + high + 1) // 2
                worth = value(tab, k, mid, price)
                need = worth if in_base else worth + fee_of(worth, ppm)
                if need <= tab[at.SC, at.CASH]:
                    low = mid
                else:
                    high = mid - 1
            if low < want and orders[r, at.O_TIF] == FOK:
                return 0
            lots = low
            if lots == 0:
                end_order(tab, orders, k, slot, bar_ns, NO_FUNDS)
                return 0
    worth = value(tab, k, lots, price)
    fee = fee_of(worth, ppm)
    flow = -side * worth
    got = lots
    if in_base:  # P4
        owed = (lots % PPM) * ppm + tab[at.I + k, at.CARRY]
        got = lots - (lots // PPM) * ppm - owed // PPM
        tab[at.I + k, at.CARRY] = owed % PPM
    else:
        flow -= fee
    tab[at.SC, at.CASH] += flow
    tab[at.SC, at.FEES] += fee
    tab[at.SC, at.ADVERSE] += value(tab, k, lots, abs(price - ref))
    tab[at.I + k, at.CAP] -= lots
    orders[r, at.O_FILLED] += lots
    n = tab[at.SC, at.N_FILLS]
    tab[at.SC, at.N_FILLS] = n + 1
    fills[n, 0] = r
    fills[n, 1] = bar_ns
    fills[n, 2] = lots
    fills[n, 3] = price
    fills[n, 4] = fee
    fills[n, 5] = ref
    new = pos + side * got
    tab[at.I + k, at.POS] = new
    if tab[at.I + k, at.T_SIDE] == 0:  # a trade opens
        tab[at.I + k, at.T_SIDE] = side
        if pos == 0:
            tab[at.I + k, at.T_CASH] = 0
        tab[at.I + k, at.T_FEES] = 0
        tab[at.I + k, at.T_OPENED] = bar_ns
        tab[at.I + k, at.T_LOTS] = 0
        far = orders[r, at.O_STOP]
        tab[at.I + k, at.T_LOSS] = loss_ticks(tab, price, far) if far > 0 else 0
        tab[at.I + k, at.T_AGREE] = orders[r, at.O_AGREE]
    tab[at.I + k, at.T_CASH] += flow
    tab[at.I + k, at.T_FEES] += fee
    tab[at.I + k, at.T_LOTS] = max(tab[at.I + k, at.T_LOTS], abs(new))
    done = orders[r, at.O_FILLED] >= orders[r, at.O_LOTS]
    if new == 0:
        protective = orders[r, at.O_FLAGS] & PROTECTIVE
        stopped = 1 if protective and orders[r, at.O_KIND] != LIMIT else 0
        end_order(tab, orders, k, slot, bar_ns, FILLED if done else CLOSED)
        close_trade(tab, trades, k, bar_ns, tab[at.I + k, at.T_CASH], stopped)
        flatten_slots(tab, orders, k, bar_ns, r)
        return lots
    if done:
        end_order(tab, orders, k, slot, bar_ns, FILLED)
    elif not funds:
        end_order(tab, orders, k, slot, bar_ns, NO_FUNDS)
    if not reduce and tab[at.I + k, at.STOP_SLOT] < 0 and tab[at.I + k, at.TAKE_SLOT] < 0:  # B1
        stop, take = orders[r, at.O_STOP], orders[r, at.O_TAKE]
        target = price + side * take
        flags = REDUCE | PROTECTIVE
        if stop > 0 and take > 0 and target > 0:
            flags |= OCO_FLAG
        if stop > 0:
            kind = TRAILING if tab[at.PAR, at.TRAILING] else STOP
            trigger = max(price - side * stop, 1)
            s = add_order(tab, orders, k, bar_ns, -side, kind, abs(new), 0, trigger, GTC, 0, flags, r)
            orders[s, at.O_TRAIL] = stop
            orders[s, at.O_BORN_REF] = ref
            orders[s, at.O_INSIDE] = inside
            tab[at.I + k, at.STOP_SLOT] = s
            tab[at.I + k, at.WORKING] += 1
        if take > 0 and target > 0:
            s = add_order(tab, orders, k, bar_ns, -side, LIMIT, abs(new), target, 0, GTC, 0, flags, r)
            tab[at.I + k, at.TAKE_SLOT] = s
            tab[at.I + k, at.WORKING] += 1
    else:  # B2
        for guard in (at.STOP_SLOT, at.TAKE_SLOT):
            g = tab[at.I + k, guard]
            if g >= 0:
                orders[g, at.O_LOTS] = orders[g, at.O_FILLED] + abs(new)
    return lots
