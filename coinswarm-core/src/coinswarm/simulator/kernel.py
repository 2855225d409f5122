"""The columnar engine's hot loop: desk, sizing, gate and exchange in one jitted file.

Implements ``rules.md`` and the rules of ``risk`` on int64 arrays; ``reference.py`` and ``risk`` are
the plain twins, and a differential test holds both to one order hash. All mutable state lives in the
arrays of ``layout.py``, so that a run can stop before any timestamp (a table is nearly full) and go on.

Everything jitted stays in this one file: numba does not notice an edited callee in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm._jit import typed_jit
from coinswarm.simulator import layout as at
from coinswarm.simulator.layout import Series, State

if TYPE_CHECKING:
    from coinswarm.simulator.layout import I1, I2, Short

jit = typed_jit(State, Series)


DAY_NS = 86_400_000_000_000
NEVER = (1 << 63) - 1
PPM = 1_000_000

# Codes, as plain integers: numba cannot read enums cheaply. A test compares them with domain.order.
MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING = 0, 1, 2, 3, 4
GTC, IOC, FOK, DAY, GTD = 0, 1, 2, 3, 4
REDUCE, PROTECTIVE, OCO_FLAG = 1, 2, 4
FILLED, WITHDRAWN, OCO, EXPIRED, IOC_REST, FOK_KILLED, CLOSED, NO_FUNDS, BELOW_MINIMUM = 1, 2, 3, 4, 5, 6, 7, 8, 9
(
    NO_SIZE,
    MIN_NOTIONAL,
    NOT_SHORTABLE,
    NO_STOP,
    POSITION_LIMIT,
    EXPOSURE_LIMIT,
    LOSS_LIMIT,
    DAILY_LOSS,
    TRADES_PER_DAY,
    COOL_DOWN,
    STOP_GUARD,
    DRAWDOWN,
    ORDER_LIMIT,
    PRICE_BAND,
    NO_EQUITY,
) = range(1, 16)
SEEN, TRIGGERED = 1, 2
CALIBRATED, PUBLISHED, FRACTION, LOTS = 0, 1, 2, 3
R_CAP_BP = 200_000


@jit
def muldiv(a: int, b: int, d: int) -> int:
    """``a * b // d`` without leaving int64, for a >= 0 and (d - 1) * b < 2**63 (S10)."""
    q = a // d
    return q * b + (a - q * d) * b // d


@jit
def value(tab: I2, k: int, lots: int, ticks: int) -> int:
    """Worth of ``lots`` at ``ticks``, in money units, rounded down."""
    den = tab[at.I + k, at.DEN]
    if den == 1:
        return lots * ticks * tab[at.I + k, at.NUM]
    return muldiv(lots * ticks, tab[at.I + k, at.NUM], den)


@jit
def lots_for(tab: I2, k: int, units: int, ticks: int) -> int:
    """The most lots worth at most ``units`` at ``ticks``."""
    return min(muldiv(units, tab[at.I + k, at.DEN], ticks * tab[at.I + k, at.NUM]), tab[at.I + k, at.MAX_LOTS])


@jit
def fee_of(worth: int, ppm: int) -> int:
    """``ceil(worth * ppm / 1e6)`` (P3)."""
    q = worth // PPM
    return q * ppm + ((worth - q * PPM) * ppm + PPM - 1) // PPM


@jit
def part_up(ticks: int, ppm: int) -> int:
    """``ceil(ticks * ppm / 1e6)``."""
    return (ticks * ppm + PPM - 1) // PPM


@jit
def add_order(
    tab: I2,
    orders: I2,
    k: int,
    now: int,
    side: int,
    kind: int,
    lots: int,
    limit: int,
    trigger: int,
    tif: int,
    expire: int,
    flags: int,
    parent: int,
) -> int:
    """Append a working order; returns its sequence number."""
    r = tab[at.SC, at.N_ORDERS]
    tab[at.SC, at.N_ORDERS] = r + 1
    orders[r, at.O_SEQ] = r
    orders[r, at.O_PARENT] = parent
    orders[r, at.O_INST] = k
    orders[r, at.O_DECIDED] = now
    orders[r, at.O_SIDE] = side
    orders[r, at.O_KIND] = kind
    orders[r, at.O_LOTS] = lots
    orders[r, at.O_LIMIT] = limit
    orders[r, at.O_TRIGGER] = trigger
    orders[r, at.O_TIF] = tif
    orders[r, at.O_FLAGS] = flags
    orders[r, at.O_END] = 0
    orders[r, at.O_REASON] = 0
    orders[r, at.O_FILLED] = 0
    orders[r, at.O_STATE] = 0
    orders[r, at.O_EXPIRE] = expire
    return r


@jit
def end_order(tab: I2, orders: I2, k: int, slot: int, ns: int, reason: int) -> None:
    """End the order in a slot, if there is one."""
    r = tab[at.I + k, slot]
    if r >= 0:
        orders[r, at.O_END] = ns
        orders[r, at.O_REASON] = reason
        tab[at.I + k, slot] = -1
        tab[at.I + k, at.WORKING] -= 1


@jit
def withdraw_entry(tab: I2, orders: I2, k: int, bar_ns: int, side: int) -> None:
    """B3, B4: no entry goes on working on a side that its bracket is closing."""
    entry = tab[at.I + k, at.ENTRY_SLOT]
    if entry >= 0 and orders[entry, at.O_SIDE] == side:
        end_order(tab, orders, k, at.ENTRY_SLOT, bar_ns, WITHDRAWN)


@jit
def close_trade(tab: I2, trades: I2, k: int, bar_ns: int, pnl: int, stopped: int) -> None:
    """Record the trade that ended, credit the agents that agreed (S5), and run the stop guard."""
    n = tab[at.SC, at.N_TRADES]
    tab[at.SC, at.N_TRADES] = n + 1
    risk, agree = tab[at.I + k, at.T_RISK], tab[at.I + k, at.T_AGREE]
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
        tab[at.I + k, at.T_RISK] = orders[r, at.O_RISK]
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


@jit
def kelly_risk_bp(tab: I2, agree: int, stop: int, take: int) -> int:
    """Equity to put at risk at the stop, in basis points: fractional Kelly, at least the probe (S19).

    Zero-edge prior of ``PRIOR`` trades with the bracket's payoff b: p0 = 1 / (1 + b), wins of b R,
    losses of 1 R. Kelly = p (1 - lost / won), which is p - (1 - p) / payoff.
    """
    b = 10_000
    if take > 0:
        b = min(max(take * 10_000 // stop, 100), 1_000_000)
    prior = tab[at.PAR, at.PRIOR] * 10_000
    wins = prior * 10_000 // (10_000 + b)
    losses = prior - wins
    won, lost = wins * b // 10_000, losses
    for a in range(tab[at.PAR, at.AGENTS]):
        if (agree >> a) & 1:
            wins += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WINS]
            losses += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOSSES]
            won += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_WON]
            lost += tab[at.I + tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOST]
    kelly = 0
    if won > lost and wins > 0:
        kelly = (wins * 10_000 // (wins + losses)) * ((won - lost) * 10_000 // won) // 10_000
    return max(kelly * tab[at.PAR, at.KELLY] // 10_000, tab[at.PAR, at.PROBE])


@jit
def loss_ticks(tab: I2, price: int, stop: int) -> int:
    """Loss per lot at the stop, both legs' costs included, in ticks (S17)."""
    return stop + part_up(price, 2 * tab[at.PAR, at.TAKER] + tab[at.PAR, at.SPREAD] + 2 * tab[at.PAR, at.SLIP])


@jit
def size_lots(tab: I2, k: int, equity: int, x: int, size_bp: int, stop: int, take: int, agree: int, vol_bp: int) -> int:
    """S19: lots for an intent of exposure ``x`` at the last close."""
    price = tab[at.I + k, at.CLOSE]
    strength = abs(x)
    method = tab[at.PAR, at.METHOD]
    if method == LOTS:
        return min(muldiv(tab[at.I + k, at.FIXED_LOTS], strength, 10_000), tab[at.I + k, at.MAX_LOTS])
    cap_bp = size_bp
    if tab[at.PAR, at.MAX_POSITION] > 0:
        cap_bp = min(cap_bp, tab[at.PAR, at.MAX_POSITION])
    cap = lots_for(tab, k, muldiv(equity, cap_bp, 10_000), price)
    if stop > 0 and tab[at.PAR, at.MAX_LOSS] > 0:
        cap = min(cap, lots_for(tab, k, muldiv(equity, tab[at.PAR, at.MAX_LOSS], 10_000), loss_ticks(tab, price, stop)))
    if method == FRACTION:
        lots = lots_for(tab, k, muldiv(muldiv(equity, size_bp, 10_000), strength, 10_000), price)
    elif method == CALIBRATED:
        if stop <= 0:
            return 0
        risk = muldiv(muldiv(equity, kelly_risk_bp(tab, agree, stop, take), 10_000), strength, 10_000)
        lots = lots_for(tab, k, risk, stop)
    else:
        p = 5_000 + (strength - 5_000) * 3 // 10
        kelly = max((p * 15_000 // 10_000 - (10_000 - p)) * 10_000 // 15_000, 0)
        share = kelly * tab[at.PAR, at.KELLY] // 10_000 * 10_000 // (10_000 + vol_bp)
        lots = lots_for(tab, k, muldiv(equity, share * tab[at.PAR, at.RISK_SCALING] // 10_000, 10_000), price)
    return min(lots, cap)


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
    if stop > 0:
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
def record(
    tab: I2,
    decisions: I2,
    now: int,
    k: int,
    x: int,
    size_bp: int,
    stop: int,
    take: int,
    agree: int,
    code: int,
    seq: int,
    lots: int,
) -> None:
    """Keep a decision: an intent that changed, or a refusal."""
    n = tab[at.SC, at.N_DECISIONS]
    tab[at.SC, at.N_DECISIONS] = n + 1
    decisions[n, 0] = now
    decisions[n, 1] = k
    decisions[n, 2] = x
    decisions[n, 3] = size_bp
    decisions[n, 4] = stop
    decisions[n, 5] = take
    decisions[n, 6] = agree
    decisions[n, 7] = code
    decisions[n, 8] = seq
    decisions[n, 9] = lots


@jit
def decide(
    tab: I2,
    orders: I2,
    decisions: I2,
    k: int,
    now: int,
    before: int,
    equity: int,
    x: int,
    size_bp: int,
    stop: int,
    take: int,
    agree: int,
    vol_bp: int,
) -> None:
    """D1-D6: the desk turns one instrument's intent into orders or a refusal."""
    s = 1 if x > 0 else (-1 if x < 0 else 0)
    blocked = tab[at.I + k, at.BLOCK_SIDE]
    code = 0
    lots = 0
    seq = -1
    if blocked != 0:  # D5
        if s != blocked:
            tab[at.I + k, at.BLOCK_SIDE] = 0
        elif tab[at.PAR, at.COOL_BARS] > 0 and now >= tab[at.I + k, at.BLOCK_UNTIL]:
            tab[at.I + k, at.BLOCK_SIDE] = 0
            tab[at.I + k, at.WANT_SIDE] = 0
        else:
            if not tab[at.I + k, at.BLOCK_SAID]:
                tab[at.I + k, at.BLOCK_SAID] = 1
                record(tab, decisions, now, k, x, size_bp, stop, take, agree, COOL_DOWN, -1, 0)
            return
    want = tab[at.I + k, at.WANT_SIDE]
    if s == want:
        change = abs(abs(x) - tab[at.I + k, at.WANT_BP])
        if s == 0 or tab[at.PAR, at.REBALANCE] == 0 or change <= tab[at.PAR, at.REBALANCE]:  # D1
            return
    tab[at.I + k, at.WANT_SIDE] = s
    tab[at.I + k, at.WANT_BP] = abs(x)
    end_order(tab, orders, k, at.ENTRY_SLOT, now, WITHDRAWN)
    pos = tab[at.I + k, at.POS]
    open_trade = tab[at.I + k, at.T_SIDE] != 0
    held = abs(pos) if pos * s > 0 else 0
    if s == want or held > 0:  # D3, D4
        end_order(tab, orders, k, at.EXIT_SLOT, now, WITHDRAWN)
    if open_trade and pos * s <= 0 and pos != 0 and tab[at.I + k, at.EXIT_SLOT] < 0:  # D2
        seq = add_order(tab, orders, k, now, -1 if pos > 0 else 1, MARKET, abs(pos), 0, 0, GTC, 0, REDUCE, -1)
        tab[at.I + k, at.EXIT_SLOT] = seq
        tab[at.I + k, at.WORKING] += 1
    if s != 0:
        price = tab[at.I + k, at.CLOSE]
        target = size_lots(tab, k, equity, x, size_bp, stop, take, agree, vol_bp) if equity > 0 else 0
        lots = target - held
        if held > 0 and lots < 0 and s == want:  # D4, down
            lots = -lots
            if value(tab, k, lots, price) >= tab[at.I + k, at.MIN_UNITS]:
                seq = add_order(tab, orders, k, now, -s, MARKET, lots, 0, 0, GTC, 0, REDUCE, -1)
                tab[at.I + k, at.EXIT_SLOT] = seq
                tab[at.I + k, at.WORKING] += 1
            record(tab, decisions, now, k, x, size_bp, stop, take, agree, 0, seq, lots)
            return
        kind, limit, trigger, expire = tab[at.PAR, at.ENTRY_KIND], 0, 0, 0
        offset = part_up(price, tab[at.PAR, at.OFFSET])
        if kind == LIMIT:
            limit = max(price - s * offset, 1)
        elif kind in (STOP, STOP_LIMIT):
            trigger = max(price + s * offset, 1)
            if kind == STOP_LIMIT:
                limit = max(trigger + s * part_up(price, tab[at.PAR, at.LIMIT_OFFSET]), 1)
        if tab[at.PAR, at.TIF] == DAY:
            expire = (now // DAY_NS + 1) * DAY_NS
        elif tab[at.PAR, at.TIF] == GTD:
            expire = now + tab[at.PAR, at.TTL] * tab[at.PAR, at.BAR]
        code = gate(tab, orders, k, now, before, equity, s, lots, held, limit, trigger, stop)
        if code == 0:
            tab[at.SC, at.TRADES_TODAY] += 1
            seq = add_order(tab, orders, k, now, s, kind, lots, limit, trigger, tab[at.PAR, at.TIF], expire, 0, -1)
            orders[seq, at.O_STOP] = stop
            orders[seq, at.O_TAKE] = take
            orders[seq, at.O_AGREE] = agree
            orders[seq, at.O_RISK] = value(tab, k, lots, stop)
            tab[at.I + k, at.ENTRY_SLOT] = seq
            tab[at.I + k, at.WORKING] += 1
    record(tab, decisions, now, k, x, size_bp, stop, take, agree, code, seq, lots)


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


@jit
def intent_row(tab: I2, changed: I1, k: int, bar: int) -> int:
    """Move instrument ``k`` on to the intent in force at ``bar``; returns its row."""
    e, end = tab[at.I + k, at.EV], tab[at.I + k, at.EV_END]
    while e + 1 < end and changed[e + 1] <= bar:
        e += 1
    tab[at.I + k, at.EV] = e
    return e


@jit
def quiet(tab: I2, times: I1, changed: I1, exposure: Short, close: I1, equity_at: I1, gross_at: I1, row: int) -> int:
    """A single instrument with nothing working: mark bar after bar until its intent leaves its side (D1).

    :returns: the row that needs a decision, not yet processed.
    """
    want, pos, cash = tab[at.I, at.WANT_SIDE], tab[at.I, at.POS], tab[at.SC, at.CASH]
    bar, start = tab[at.PAR, at.BAR], tab[at.PAR, at.START_NS]
    end = len(times)
    while row < end:
        x = exposure[intent_row(tab, changed, 0, row)]
        now = times[row] + bar
        if now >= start and ((x > 0) != (want > 0) or (x < 0) != (want < 0)):
            break
        equity = cash
        gross = 0
        if pos != 0:
            gross = value(tab, 0, abs(pos), close[row])
            equity += gross if pos > 0 else -gross
        equity_at[row] = equity
        gross_at[row] = gross
        mark(tab, now, equity)
        row += 1
    if row > 0:
        tab[at.I, at.CLOSE] = close[row - 1]
    tab[at.I, at.PTR] = row
    return row


@jit
def run(m: State, s: Series) -> int:
    """Run from timestamp ``ROW`` to the end, or to a timestamp before which a table must grow.

    :returns: the timestamp row reached; ``len(times)`` when done.
    """
    # Arrays as locals: taking one out of a tuple inside the loop would count references at every bar.
    tab, orders, fills, trades, decisions = m.tab, m.orders, m.fills, m.trades, m.decisions
    times, equity_at, gross_at, ts = s.times, s.equity_at, s.gross_at, s.ts
    opened, high, low, close, volume = s.open, s.high, s.low, s.close, s.volume
    changed, vol_bp = s.changed, s.vol_bp
    exposure, size_bp, stop_at, take_at, agree_at = s.exposure, s.size_bp, s.stop, s.take, s.agree
    fund_ns, fund_ppb = s.fund_ns, s.fund_ppb
    count = tab[at.PAR, at.INSTRUMENTS]
    bar = tab[at.PAR, at.BAR]
    row = tab[at.SC, at.ROW] - 1
    end = len(times)
    while True:
        row += 1
        if (
            count == 1
            and tab[at.I, at.WORKING] == 0
            and tab[at.I, at.BLOCK_SIDE] == 0
            and tab[at.I, at.FUND] == tab[at.I, at.FUND_END]
            and tab[at.PAR, at.REBALANCE] == 0
        ):
            row = quiet(tab, times, changed, exposure, close, equity_at, gross_at, row)
        if row >= end:
            break
        if (
            tab[at.SC, at.N_ORDERS] + 6 * count > orders.shape[0]
            or tab[at.SC, at.N_FILLS] + 6 * count > fills.shape[0]
            or tab[at.SC, at.N_TRADES] + 4 * count > trades.shape[0]
            or tab[at.SC, at.N_DECISIONS] + 2 * count > decisions.shape[0]
        ):
            tab[at.SC, at.ROW] = row
            return row
        t = times[row]
        now = t + bar
        busy = False
        for k in range(count):
            i = tab[at.I + k, at.PTR]
            if i < tab[at.I + k, at.PTR_END] and ts[i] == t:
                tab[at.I + k, at.HERE] = 1
                if tab[at.I + k, at.WORKING] > 0 or tab[at.I + k, at.FUND] < tab[at.I + k, at.FUND_END]:
                    expire_and_fund(tab, orders, fund_ns, fund_ppb, k, t)
                if tab[at.I + k, at.WORKING] > 0 and volume[i] > 0:
                    busy = True
                    share = tab[at.PAR, at.PARTICIPATION]
                    tab[at.I + k, at.CAP] = muldiv(volume[i], share, 10_000) if share > 0 else NEVER
                    at_open(tab, orders, fills, trades, k, t, opened[i])
            else:
                tab[at.I + k, at.HERE] = 0
        if busy:
            for k in range(count):
                if tab[at.I + k, at.HERE] and tab[at.I + k, at.WORKING] > 0:
                    i = tab[at.I + k, at.PTR]
                    if volume[i] > 0:
                        inside_bar(tab, orders, fills, trades, k, t, high[i], low[i])
        equity = tab[at.SC, at.CASH]
        gross = 0
        for k in range(count):
            if tab[at.I + k, at.HERE]:
                tab[at.I + k, at.CLOSE] = close[tab[at.I + k, at.PTR]]
            pos = tab[at.I + k, at.POS]
            if pos != 0:
                worth = value(tab, k, abs(pos), tab[at.I + k, at.CLOSE])
                gross += worth
                equity += worth if pos > 0 else -worth
        equity_at[row] = equity
        gross_at[row] = gross
        mark(tab, now, equity)
        for k in range(count):
            if not tab[at.I + k, at.HERE]:
                continue
            i = tab[at.I + k, at.PTR]
            tab[at.I + k, at.PTR] = i + 1
            r = tab[at.I + k, at.STOP_SLOT]
            if r >= 0 and orders[r, at.O_KIND] == TRAILING and volume[i] > 0:  # T1, T2
                born_inside = orders[r, at.O_DECIDED] == t and orders[r, at.O_INSIDE]
                if not (born_inside or orders[r, at.O_STATE] & TRIGGERED):
                    if orders[r, at.O_SIDE] < 0:
                        orders[r, at.O_TRIGGER] = max(orders[r, at.O_TRIGGER], high[i] - orders[r, at.O_TRAIL])
                    else:
                        orders[r, at.O_TRIGGER] = min(orders[r, at.O_TRIGGER], low[i] + orders[r, at.O_TRAIL])
            if now < tab[at.PAR, at.START_NS]:
                continue
            e = intent_row(tab, changed, k, i)
            side = 1 if exposure[e] > 0 else (-1 if exposure[e] < 0 else 0)
            if (
                side == tab[at.I + k, at.WANT_SIDE]
                and tab[at.I + k, at.BLOCK_SIDE] == 0
                and tab[at.PAR, at.REBALANCE] == 0
            ):
                continue
            before = 0
            if tab[at.PAR, at.DAILY_LOSS_BP] > 0:  # the last mark known 24 h ago
                j = tab[at.SC, at.ROLL]
                while j < row and times[j] + bar <= now - DAY_NS:
                    j += 1
                tab[at.SC, at.ROLL] = j
                before = equity_at[j - 1] if j > 0 else tab[at.PAR, at.START_CASH]
            volatility = vol_bp[i] if len(vol_bp) > 0 else 0
            x, size, stop, take, agree = exposure[e], size_bp[e], stop_at[e], take_at[e], agree_at[e]
            decide(tab, orders, decisions, k, now, before, equity, x, size, stop, take, agree, volatility)
    tab[at.SC, at.ROW] = end
    return end
