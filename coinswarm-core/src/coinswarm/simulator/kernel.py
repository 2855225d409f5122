"""The columnar engine's hot loop: desk, sizing, gate and exchange in one jitted file.

Implements ``rules.md`` and the rules of ``risk`` on int64 arrays; ``reference.py`` and ``risk`` are
the plain twins, and a differential test holds both to one order hash. All mutable state lives in the
arrays of ``layout.py``, so that a run can stop before any timestamp (a table is nearly full) and go on.

Everything jitted stays in this one file: numba does not notice an edited callee in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm._jit import jit
from coinswarm.simulator import layout as at

if TYPE_CHECKING:
    import numpy as np

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]

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
def value(inst: I2, k: int, lots: int, ticks: int) -> int:
    """Worth of ``lots`` at ``ticks``, in money units, rounded down."""
    den = inst[k, at.DEN]
    if den == 1:
        return lots * ticks * inst[k, at.NUM]
    return muldiv(lots * ticks, inst[k, at.NUM], den)


@jit
def lots_for(inst: I2, k: int, units: int, ticks: int) -> int:
    """The most lots worth at most ``units`` at ``ticks``."""
    return min(muldiv(units, inst[k, at.DEN], ticks * inst[k, at.NUM]), inst[k, at.MAX_LOTS])


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
def add_order(  # noqa: PLR0913 - an order has that many fields
    sc: I1,
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
    r = sc[at.N_ORDERS]
    sc[at.N_ORDERS] = r + 1
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
def end_order(inst: I2, orders: I2, k: int, slot: int, ns: int, reason: int) -> None:
    """End the order in a slot, if there is one."""
    r = inst[k, slot]
    if r >= 0:
        orders[r, at.O_END] = ns
        orders[r, at.O_REASON] = reason
        inst[k, slot] = -1
        inst[k, at.WORKING] -= 1


@jit
def close_trade(sc: I1, inst: I2, trades: I2, agents: I2, par: I1, k: int, bar_ns: int, pnl: int, stopped: int) -> None:  # noqa: PLR0913
    """Record the trade that ended, credit the agents that agreed (S5), and run the stop guard."""
    n = sc[at.N_TRADES]
    sc[at.N_TRADES] = n + 1
    risk, agree = inst[k, at.T_RISK], inst[k, at.T_AGREE]
    trades[n, 0] = k
    trades[n, 1] = inst[k, at.T_SIDE]
    trades[n, 2] = inst[k, at.T_OPENED]
    trades[n, 3] = bar_ns
    trades[n, 4] = inst[k, at.T_LOTS]
    trades[n, 5] = pnl
    trades[n, 6] = inst[k, at.T_FEES]
    trades[n, 7] = risk
    trades[n, 8] = agree
    trades[n, 9] = stopped
    inst[k, at.T_SIDE] = 0
    if risk > 0:
        total = 0
        for a in range(agents.shape[0]):
            if (agree >> a) & 1:
                total += agents[a, at.A_WEIGHT]
        r_bp = R_CAP_BP
        if abs(pnl) < R_CAP_BP // 10_000 * risk:
            r_bp = muldiv(abs(pnl), 10_000, risk)
        for a in range(agents.shape[0]):
            if (agree >> a) & 1 and total > 0:
                share = agents[a, at.A_WEIGHT] * 10_000 // total
                if pnl > 0:
                    agents[a, at.A_WINS] += share
                    agents[a, at.A_WON] += share * r_bp // 10_000
                else:
                    agents[a, at.A_LOSSES] += share
                    agents[a, at.A_LOST] += share * r_bp // 10_000
    if stopped and par[at.GUARD_COUNT] > 0:
        now = bar_ns + par[at.BAR]
        ring = at.RING + sc[at.RING_AT]
        sc[ring] = now
        sc[at.RING_AT] = (sc[at.RING_AT] + 1) % par[at.GUARD_COUNT]
        oldest = sc[at.RING + sc[at.RING_AT]]
        if oldest >= 0 and oldest >= now - par[at.GUARD_BARS] * par[at.BAR]:
            sc[at.GUARD_UNTIL] = now + par[at.GUARD_PAUSE] * par[at.BAR]


@jit
def flatten_slots(inst: I2, orders: I2, k: int, bar_ns: int, filler: int) -> None:
    """B3: the position is flat; ``filler`` is the order that closed it."""
    protective = orders[filler, at.O_FLAGS] & PROTECTIVE
    other = OCO if protective else CLOSED
    end_order(inst, orders, k, at.STOP_SLOT, bar_ns, other)
    end_order(inst, orders, k, at.TAKE_SLOT, bar_ns, other)
    end_order(inst, orders, k, at.EXIT_SLOT, bar_ns, CLOSED)
    if protective:
        end_order(inst, orders, k, at.ENTRY_SLOT, bar_ns, WITHDRAWN)


@jit
def fill(  # noqa: C901, PLR0912, PLR0913, PLR0915 - one fill is one rule set
    sc: I1,
    par: I1,
    inst: I2,
    orders: I2,
    fills: I2,
    trades: I2,
    agents: I2,
    k: int,
    slot: int,
    bar_ns: int,
    ref: int,
    taker: int,
    inside: int,
) -> int:
    """Fill the order in ``slot`` at reference price ``ref`` as far as Q1-Q5 allow; returns the lots filled."""
    r = inst[k, slot]
    side = orders[r, at.O_SIDE]
    pos = inst[k, at.POS]
    reduce = orders[r, at.O_FLAGS] & REDUCE
    want = orders[r, at.O_LOTS] - orders[r, at.O_FILLED]
    if reduce:
        held = abs(pos)
        want = min(want, held)
        if value(inst, k, held, ref) < inst[k, at.MIN_UNITS]:  # Q5
            flow = value(inst, k, held, ref) * (1 if pos > 0 else -1)
            protective = orders[r, at.O_FLAGS] & PROTECTIVE
            stopped = 1 if protective and orders[r, at.O_KIND] != LIMIT else 0
            close_trade(sc, inst, trades, agents, par, k, bar_ns, inst[k, at.T_CASH] + flow, stopped)
            inst[k, at.T_CASH] = -flow
            if protective:
                inst[k, at.BLOCK_SIDE] = inst[k, at.WANT_SIDE]
                inst[k, at.BLOCK_UNTIL] = bar_ns + (1 + par[at.COOL_BARS]) * par[at.BAR]
                inst[k, at.BLOCK_SAID] = 0
            end_order(inst, orders, k, slot, bar_ns, BELOW_MINIMUM)
            flatten_slots(inst, orders, k, bar_ns, r)
            return 0
    elif pos * side < 0 and inst[k, at.T_SIDE] != 0:  # Q3 (dust of the other side does not block)
        return 0
    lots = min(want, inst[k, at.CAP])
    if lots <= 0 or (orders[r, at.O_TIF] == FOK and lots < want):
        return 0
    if taker:
        adverse = (ref * (par[at.SPREAD] + 2 * par[at.SLIP]) + 2 * PPM - 1) // (2 * PPM)
        price = max(ref + side * adverse, 1)
        limit = orders[r, at.O_LIMIT]
        if limit > 0:
            price = min(price, limit) if side > 0 else max(price, limit)
        ppm = par[at.TAKER]
    else:
        price = ref
        ppm = par[at.MAKER]
    in_base = par[at.FEE_BASE] != 0 and side > 0 and inst[k, at.SHORTABLE] == 0
    funds = True
    if side > 0 and not reduce:  # Q4
        worth = value(inst, k, lots, price)
        need = worth if in_base else worth + fee_of(worth, ppm)
        if need > sc[at.CASH]:
            funds = False
            low, high = 0, lots
            while low < high:
                mid = (low + high + 1) // 2
                worth = value(inst, k, mid, price)
                need = worth if in_base else worth + fee_of(worth, ppm)
                if need <= sc[at.CASH]:
                    low = mid
                else:
                    high = mid - 1
            lots = low
            if lots == 0:
                end_order(inst, orders, k, slot, bar_ns, NO_FUNDS)
                return 0
    worth = value(inst, k, lots, price)
    fee = fee_of(worth, ppm)
    flow = -side * worth
    got = lots
    if in_base:  # P4
        owed = (lots // PPM) * ppm * PPM + (lots % PPM) * ppm + inst[k, at.CARRY]
        got = lots - owed // PPM
        inst[k, at.CARRY] = owed % PPM
    else:
        flow -= fee
    sc[at.CASH] += flow
    sc[at.FEES] += fee
    sc[at.ADVERSE] += value(inst, k, lots, abs(price - ref))
    inst[k, at.CAP] -= lots
    orders[r, at.O_FILLED] += lots
    n = sc[at.N_FILLS]
    sc[at.N_FILLS] = n + 1
    fills[n, 0] = r
    fills[n, 1] = bar_ns
    fills[n, 2] = lots
    fills[n, 3] = price
    fills[n, 4] = fee
    fills[n, 5] = ref
    new = pos + side * got
    inst[k, at.POS] = new
    if inst[k, at.T_SIDE] == 0:  # a trade opens
        inst[k, at.T_SIDE] = side
        if pos == 0:
            inst[k, at.T_CASH] = 0
        inst[k, at.T_FEES] = 0
        inst[k, at.T_OPENED] = bar_ns
        inst[k, at.T_LOTS] = 0
        inst[k, at.T_RISK] = orders[r, at.O_RISK]
        inst[k, at.T_AGREE] = orders[r, at.O_AGREE]
    inst[k, at.T_CASH] += flow
    inst[k, at.T_FEES] += fee
    inst[k, at.T_LOTS] = max(inst[k, at.T_LOTS], abs(new))
    done = orders[r, at.O_FILLED] >= orders[r, at.O_LOTS]
    if new == 0:
        protective = orders[r, at.O_FLAGS] & PROTECTIVE
        stopped = 1 if protective and orders[r, at.O_KIND] != LIMIT else 0
        end_order(inst, orders, k, slot, bar_ns, FILLED if done else CLOSED)
        close_trade(sc, inst, trades, agents, par, k, bar_ns, inst[k, at.T_CASH], stopped)
        if protective:  # D5
            inst[k, at.BLOCK_SIDE] = inst[k, at.WANT_SIDE]
            inst[k, at.BLOCK_UNTIL] = bar_ns + (1 + par[at.COOL_BARS]) * par[at.BAR]
            inst[k, at.BLOCK_SAID] = 0
        flatten_slots(inst, orders, k, bar_ns, r)
        return lots
    if done:
        end_order(inst, orders, k, slot, bar_ns, FILLED)
    elif not funds:
        end_order(inst, orders, k, slot, bar_ns, NO_FUNDS)
    if not reduce and inst[k, at.STOP_SLOT] < 0 and inst[k, at.TAKE_SLOT] < 0:  # B1
        stop, take = orders[r, at.O_STOP], orders[r, at.O_TAKE]
        target = price + side * take
        flags = REDUCE | PROTECTIVE
        if stop > 0 and take > 0 and target > 0:
            flags |= OCO_FLAG
        if stop > 0:
            kind = TRAILING if par[at.TRAILING] else STOP
            trigger = max(price - side * stop, 1)
            s = add_order(sc, orders, k, bar_ns, -side, kind, abs(new), 0, trigger, GTC, 0, flags, r)
            orders[s, at.O_TRAIL] = stop
            orders[s, at.O_BORN_REF] = ref
            orders[s, at.O_INSIDE] = inside
            inst[k, at.STOP_SLOT] = s
            inst[k, at.WORKING] += 1
        if take > 0 and target > 0:
            s = add_order(sc, orders, k, bar_ns, -side, LIMIT, abs(new), target, 0, GTC, 0, flags, r)
            orders[s, at.O_INSIDE] = inside
            inst[k, at.TAKE_SLOT] = s
            inst[k, at.WORKING] += 1
    else:  # B2
        for guard in (at.STOP_SLOT, at.TAKE_SLOT):
            g = inst[k, guard]
            if g >= 0:
                orders[g, at.O_LOTS] = orders[g, at.O_FILLED] + abs(new)
    return lots


@jit
def at_open(  # noqa: C901, PLR0912, PLR0913
    sc: I1, par: I1, inst: I2, orders: I2, fills: I2, trades: I2, agents: I2, k: int, bar_ns: int, o: int
) -> None:
    """E3: the instrument's working orders, in sequence order, at the open (F1-F5)."""
    last = -1
    while True:
        slot, r = -1, NEVER
        for candidate in range(at.ENTRY_SLOT, at.TAKE_SLOT + 1):
            q = inst[k, candidate]
            if last < q < r:
                slot, r = candidate, q
        if slot < 0:
            return
        last = r
        if orders[r, at.O_DECIDED] > bar_ns or (orders[r, at.O_FLAGS] & PROTECTIVE and orders[r, at.O_DECIDED] == bar_ns):
            continue
        side, kind, limit = orders[r, at.O_SIDE], orders[r, at.O_KIND], orders[r, at.O_LIMIT]
        first = not orders[r, at.O_STATE] & SEEN
        orders[r, at.O_STATE] |= SEEN
        if kind in (STOP, TRAILING, STOP_LIMIT) and not orders[r, at.O_STATE] & TRIGGERED:
            if (o - orders[r, at.O_TRIGGER]) * side < 0:
                continue
            orders[r, at.O_STATE] |= TRIGGERED  # F2, F4
            first = True
        if kind in (LIMIT, STOP_LIMIT):
            if (limit - o) * side > 0:  # F3, F4
                fill(sc, par, inst, orders, fills, trades, agents, k, slot, bar_ns, o, 1 if first else 0, 0)
        else:  # F1, F2, B4
            fill(sc, par, inst, orders, fills, trades, agents, k, slot, bar_ns, o, 1, 0)
        if inst[k, slot] == r and orders[r, at.O_TIF] == IOC:  # F5
            end_order(inst, orders, k, slot, bar_ns, IOC_REST)
        elif inst[k, slot] == r and orders[r, at.O_TIF] == FOK:
            end_order(inst, orders, k, slot, bar_ns, FOK_KILLED)


@jit
def inside_bar(  # noqa: PLR0913
    sc: I1, par: I1, inst: I2, orders: I2, fills: I2, trades: I2, agents: I2, k: int, bar_ns: int, hi: int, lo: int
) -> None:
    """E4: what the bar's range does (F6-F10)."""
    r = inst[k, at.STOP_SLOT]
    if r >= 0:
        stop_inside(sc, par, inst, orders, fills, trades, agents, k, r, bar_ns, hi, lo)
    r = inst[k, at.TAKE_SLOT]
    if r >= 0 and not (orders[r, at.O_DECIDED] == bar_ns and orders[r, at.O_INSIDE]):
        limit, side = orders[r, at.O_LIMIT], orders[r, at.O_SIDE]
        if (side > 0 and lo < limit) or (side < 0 and hi > limit):  # F7
            fill(sc, par, inst, orders, fills, trades, agents, k, at.TAKE_SLOT, bar_ns, limit, 0, 1)
    r = inst[k, at.ENTRY_SLOT]
    if r < 0 or orders[r, at.O_DECIDED] > bar_ns or orders[r, at.O_KIND] == MARKET:
        return
    had = inst[k, at.STOP_SLOT]
    side, kind, limit, trigger = orders[r, at.O_SIDE], orders[r, at.O_KIND], orders[r, at.O_LIMIT], orders[r, at.O_TRIGGER]
    if kind in (STOP, STOP_LIMIT) and not orders[r, at.O_STATE] & TRIGGERED:
        if (side > 0 and hi >= trigger) or (side < 0 and lo <= trigger):
            orders[r, at.O_STATE] |= TRIGGERED
            if kind == STOP or (limit - trigger) * side > 0:  # F6, F9
                fill(sc, par, inst, orders, fills, trades, agents, k, at.ENTRY_SLOT, bar_ns, trigger, 1, 1)
    elif kind != STOP and ((side > 0 and lo < limit) or (side < 0 and hi > limit)):  # F7
        fill(sc, par, inst, orders, fills, trades, agents, k, at.ENTRY_SLOT, bar_ns, limit, 0, 1)
    r = inst[k, at.STOP_SLOT]
    if r >= 0 and r != had:  # F10
        stop_inside(sc, par, inst, orders, fills, trades, agents, k, r, bar_ns, hi, lo)


@jit
def stop_inside(  # noqa: PLR0913
    sc: I1, par: I1, inst: I2, orders: I2, fills: I2, trades: I2, agents: I2, k: int, r: int, bar_ns: int, hi: int, lo: int
) -> None:
    """F6 for the protective stop."""
    if orders[r, at.O_STATE] & TRIGGERED:
        return  # B4: waits for the next open
    side, trigger = orders[r, at.O_SIDE], orders[r, at.O_TRIGGER]
    if (side < 0 and lo <= trigger) or (side > 0 and hi >= trigger):
        orders[r, at.O_STATE] |= TRIGGERED
        ref = trigger
        if orders[r, at.O_DECIDED] == bar_ns:
            ref = min(ref, orders[r, at.O_BORN_REF]) if side < 0 else max(ref, orders[r, at.O_BORN_REF])
        fill(sc, par, inst, orders, fills, trades, agents, k, at.STOP_SLOT, bar_ns, ref, 1, 1)


@jit
def kelly_risk_bp(par: I1, agents: I2, agree: int, stop: int, take: int) -> int:
    """Equity to put at risk at the stop, in basis points: fractional Kelly, at least the probe (S19).

    Zero-edge prior of ``PRIOR`` trades with the bracket's payoff b: p0 = 1 / (1 + b), wins of b R,
    losses of 1 R. Kelly = p (1 - lost / won), which is p - (1 - p) / payoff.
    """
    b = 10_000
    if take > 0:
        b = min(max(take * 10_000 // stop, 100), 1_000_000)
    prior = par[at.PRIOR] * 10_000
    wins = prior * 10_000 // (10_000 + b)
    losses = prior - wins
    won, lost = wins * b // 10_000, losses
    for a in range(agents.shape[0]):
        if (agree >> a) & 1:
            wins += agents[a, at.A_WINS]
            losses += agents[a, at.A_LOSSES]
            won += agents[a, at.A_WON]
            lost += agents[a, at.A_LOST]
    kelly = 0
    if won > lost and wins > 0:
        kelly = (wins * 10_000 // (wins + losses)) * ((won - lost) * 10_000 // won) // 10_000
    return max(kelly * par[at.KELLY] // 10_000, par[at.PROBE])


@jit
def loss_ticks(par: I1, price: int, stop: int) -> int:
    """Loss per lot at the stop, both legs' costs included, in ticks (S17)."""
    return stop + part_up(price, 2 * par[at.TAKER] + par[at.SPREAD] + 2 * par[at.SLIP])


@jit
def size_lots(  # noqa: PLR0913
    par: I1, inst: I2, agents: I2, k: int, equity: int, x: int, size_bp: int, stop: int, take: int, agree: int, vol_bp: int
) -> int:
    """S19: lots for an intent of exposure ``x`` at the last close."""
    price = inst[k, at.CLOSE]
    strength = abs(x)
    method = par[at.METHOD]
    if method == LOTS:
        return min(muldiv(inst[k, at.FIXED_LOTS], strength, 10_000), inst[k, at.MAX_LOTS])
    cap_bp = size_bp
    if par[at.MAX_POSITION] > 0:
        cap_bp = min(cap_bp, par[at.MAX_POSITION])
    cap = lots_for(inst, k, muldiv(equity, cap_bp, 10_000), price)
    if stop > 0 and par[at.MAX_LOSS] > 0:
        cap = min(cap, lots_for(inst, k, muldiv(equity, par[at.MAX_LOSS], 10_000), loss_ticks(par, price, stop)))
    if method == FRACTION:
        lots = lots_for(inst, k, muldiv(muldiv(equity, size_bp, 10_000), strength, 10_000), price)
    elif method == CALIBRATED:
        if stop <= 0:
            return 0
        risk = muldiv(muldiv(equity, kelly_risk_bp(par, agents, agree, stop, take), 10_000), strength, 10_000)
        lots = lots_for(inst, k, risk, stop)
    else:
        p = 5_000 + (strength - 5_000) * 3 // 10
        kelly = max((p * 15_000 // 10_000 - (10_000 - p)) * 10_000 // 15_000, 0)
        share = kelly * par[at.KELLY] // 10_000 * 10_000 // (10_000 + vol_bp)
        lots = lots_for(inst, k, muldiv(equity, share * par[at.RISK_SCALING] // 10_000, 10_000), price)
    return min(lots, cap)


@jit
def gate(  # noqa: C901, PLR0911, PLR0912, PLR0913
    sc: I1,
    par: I1,
    inst: I2,
    orders: I2,
    times: I1,
    equity_at: I1,
    k: int,
    now: int,
    row: int,
    equity: int,
    side: int,
    lots: int,
    held: int,
    limit: int,
    trigger: int,
    stop: int,
) -> int:
    """S17: 0, or why an entry is refused; the checks in the order of ``risk/gate.py``."""
    price = inst[k, at.CLOSE]
    if equity <= 0:
        return NO_EQUITY
    if side < 0 and inst[k, at.SHORTABLE] == 0:
        return NOT_SHORTABLE
    if now < sc[at.BREAK_UNTIL]:
        return DRAWDOWN
    if now < sc[at.GUARD_UNTIL]:
        return STOP_GUARD
    if par[at.MAX_TRADES] > 0 and sc[at.TRADES_TODAY] >= par[at.MAX_TRADES]:
        return TRADES_PER_DAY
    if stop <= 0 and (par[at.REQUIRE_STOP] or par[at.METHOD] == CALIBRATED):
        return NO_STOP
    if lots < 1:
        return NO_SIZE
    worth = value(inst, k, lots, price)
    lowest = max(price - stop, 1) if side > 0 else price
    if value(inst, k, lots, lowest) < inst[k, at.MIN_UNITS]:
        return MIN_NOTIONAL
    if par[at.MAX_ORDER] > 0 and worth > par[at.MAX_ORDER]:
        return ORDER_LIMIT
    mine = worth + value(inst, k, held, price)
    if par[at.MAX_POSITION] > 0 and mine > muldiv(equity, par[at.MAX_POSITION], 10_000):
        return POSITION_LIMIT
    if par[at.MAX_EXPOSURE] > 0:
        gross = mine
        for j in range(inst.shape[0]):
            if j != k:
                open_lots = abs(inst[j, at.POS])
                e = inst[j, at.ENTRY_SLOT]
                if e >= 0:
                    open_lots += orders[e, at.O_LOTS] - orders[e, at.O_FILLED]
                gross += value(inst, j, open_lots, inst[j, at.CLOSE])
        if gross > muldiv(equity, par[at.MAX_EXPOSURE], 10_000):
            return EXPOSURE_LIMIT
    loss = 0
    if stop > 0:
        loss = value(inst, k, lots, loss_ticks(par, price, stop))
        if par[at.MAX_LOSS] > 0 and loss > muldiv(equity, par[at.MAX_LOSS], 10_000):
            return LOSS_LIMIT
    if par[at.DAILY_LOSS_BP] > 0:
        i = sc[at.ROLL]
        while i < row and times[i] + par[at.BAR] <= now - DAY_NS:
            i += 1
        sc[at.ROLL] = i  # the first mark known after now - 24 h
        before = equity_at[i - 1] if i > 0 else par[at.START_CASH]
        lost = max(sc[at.DAY_START] - equity, before - equity, 0)
        if lost + loss > muldiv(max(sc[at.DAY_START], 0), par[at.DAILY_LOSS_BP], 10_000):
            return DAILY_LOSS
    if par[at.BAND] > 0:
        width = muldiv(price, par[at.BAND], 10_000)
        if (limit > 0 and abs(limit - price) > width) or (trigger > 0 and abs(trigger - price) > width):
            return PRICE_BAND
    return 0


@jit
def decide(  # noqa: C901, PLR0912, PLR0913, PLR0915
    sc: I1,
    par: I1,
    inst: I2,
    orders: I2,
    decisions: I2,
    agents: I2,
    times: I1,
    equity_at: I1,
    k: int,
    now: int,
    row: int,
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
    blocked = inst[k, at.BLOCK_SIDE]
    code = 0
    lots = 0
    seq = -1
    if blocked != 0:  # D5
        if s != blocked:
            inst[k, at.BLOCK_SIDE] = 0
        elif par[at.COOL_BARS] > 0 and now >= inst[k, at.BLOCK_UNTIL]:
            inst[k, at.BLOCK_SIDE] = 0
            inst[k, at.WANT_SIDE] = 0
        else:
            if not inst[k, at.BLOCK_SAID]:
                inst[k, at.BLOCK_SAID] = 1
                record(sc, decisions, now, k, x, size_bp, stop, take, agree, COOL_DOWN, -1, 0)
            return
    want = inst[k, at.WANT_SIDE]
    if s == want:
        change = abs(abs(x) - inst[k, at.WANT_BP])
        if s == 0 or par[at.REBALANCE] == 0 or change <= par[at.REBALANCE]:  # D1
            return
    inst[k, at.WANT_SIDE] = s
    inst[k, at.WANT_BP] = abs(x)
    end_order(inst, orders, k, at.ENTRY_SLOT, now, WITHDRAWN)
    pos = inst[k, at.POS]
    open_trade = inst[k, at.T_SIDE] != 0
    held = abs(pos) if pos * s > 0 else 0
    if s == want or held > 0:  # D3, D4
        end_order(inst, orders, k, at.EXIT_SLOT, now, WITHDRAWN)
    if open_trade and pos * s <= 0 and pos != 0 and inst[k, at.EXIT_SLOT] < 0:  # D2
        seq = add_order(sc, orders, k, now, -1 if pos > 0 else 1, MARKET, abs(pos), 0, 0, GTC, 0, REDUCE, -1)
        inst[k, at.EXIT_SLOT] = seq
        inst[k, at.WORKING] += 1
    if s != 0:
        price = inst[k, at.CLOSE]
        target = size_lots(par, inst, agents, k, equity, x, size_bp, stop, take, agree, vol_bp) if equity > 0 else 0
        lots = target - held
        if held > 0 and lots < 0 and s == want:  # D4, down
            lots = -lots
            if value(inst, k, lots, price) >= inst[k, at.MIN_UNITS]:
                seq = add_order(sc, orders, k, now, -s, MARKET, lots, 0, 0, GTC, 0, REDUCE, -1)
                inst[k, at.EXIT_SLOT] = seq
                inst[k, at.WORKING] += 1
            record(sc, decisions, now, k, x, size_bp, stop, take, agree, 0, seq, lots)
            return
        kind, limit, trigger, expire = par[at.ENTRY_KIND], 0, 0, 0
        offset = part_up(price, par[at.OFFSET])
        if kind == LIMIT:
            limit = max(price - s * offset, 1)
        elif kind in (STOP, STOP_LIMIT):
            trigger = max(price + s * offset, 1)
            if kind == STOP_LIMIT:
                limit = max(trigger + s * part_up(price, par[at.LIMIT_OFFSET]), 1)
        if par[at.TIF] == DAY:
            expire = (now // DAY_NS + 1) * DAY_NS
        elif par[at.TIF] == GTD:
            expire = now + par[at.TTL] * par[at.BAR]
        code = gate(sc, par, inst, orders, times, equity_at, k, now, row, equity, s, lots, held, limit, trigger, stop)
        if code == 0:
            sc[at.TRADES_TODAY] += 1
            seq = add_order(sc, orders, k, now, s, kind, lots, limit, trigger, par[at.TIF], expire, 0, -1)
            orders[seq, at.O_STOP] = stop
            orders[seq, at.O_TAKE] = take
            orders[seq, at.O_AGREE] = agree
            orders[seq, at.O_RISK] = value(inst, k, lots, stop)
            inst[k, at.ENTRY_SLOT] = seq
            inst[k, at.WORKING] += 1
    record(sc, decisions, now, k, x, size_bp, stop, take, agree, code, seq, lots)


@jit
def record(  # noqa: PLR0913
    sc: I1, decisions: I2, now: int, k: int, x: int, size_bp: int, stop: int, take: int, agree: int, code: int, seq: int, lots: int
) -> None:
    """Keep a decision: an intent that changed, or a refusal."""
    n = sc[at.N_DECISIONS]
    sc[at.N_DECISIONS] = n + 1
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
def expire_and_fund(  # noqa: PLR0913
    sc: I1, inst: I2, orders: I2, fund_ns: I1, fund_ppb: I1, k: int, bar_ns: int
) -> None:
    """E1 and E2."""
    r = inst[k, at.ENTRY_SLOT]
    if r >= 0 and 0 < orders[r, at.O_EXPIRE] <= bar_ns:
        end_order(inst, orders, k, at.ENTRY_SLOT, orders[r, at.O_EXPIRE], EXPIRED)
    i, end = inst[k, at.FUND], inst[k, at.FUND_END]
    while i < end and fund_ns[i] <= bar_ns:
        pos = inst[k, at.POS]
        if pos != 0:
            rate = fund_ppb[i]
            due = muldiv(value(inst, k, abs(pos), inst[k, at.CLOSE]), abs(rate), 1_000_000_000)
            if (pos > 0) != (rate > 0):
                due = -due
            sc[at.CASH] -= due
            sc[at.FUNDING] += due
            inst[k, at.T_CASH] -= due
        i += 1
    inst[k, at.FUND] = i


@jit
def run(  # noqa: C901, PLR0912, PLR0913, PLR0915
    sc: I1,
    par: I1,
    inst: I2,
    agents: I2,
    orders: I2,
    fills: I2,
    trades: I2,
    decisions: I2,
    times: I1,
    equity_at: I1,
    gross_at: I1,
    ts: I1,
    o: I1,
    h: I1,
    low: I1,
    c: I1,
    v: I1,
    x: np.ndarray[tuple[int], np.dtype[np.int32]],
    size_bp: np.ndarray[tuple[int], np.dtype[np.int32]],
    stop: I1,
    take: I1,
    agree: I1,
    vol_bp: np.ndarray[tuple[int], np.dtype[np.int32]],
    fund_ns: I1,
    fund_ppb: I1,
) -> int:
    """Run from timestamp ``sc[ROW]`` to the end, or to a timestamp before which a table must grow.

    :returns: the timestamp row reached; ``len(times)`` when done.
    """
    count = inst.shape[0]
    bar = par[at.BAR]
    for row in range(sc[at.ROW], len(times)):
        if (
            sc[at.N_ORDERS] + 6 * count > orders.shape[0]
            or sc[at.N_FILLS] + 6 * count > fills.shape[0]
            or sc[at.N_TRADES] + 4 * count > trades.shape[0]
            or sc[at.N_DECISIONS] + 2 * count > decisions.shape[0]
        ):
            sc[at.ROW] = row
            return row
        t = times[row]
        now = t + bar
        busy = False
        for k in range(count):
            i = inst[k, at.PTR]
            if i < inst[k, at.PTR_END] and ts[i] == t:
                inst[k, at.HERE] = 1
                if inst[k, at.WORKING] > 0 or inst[k, at.FUND] < inst[k, at.FUND_END]:
                    expire_and_fund(sc, inst, orders, fund_ns, fund_ppb, k, t)
                if inst[k, at.WORKING] > 0 and v[i] > 0:
                    busy = True
                    inst[k, at.CAP] = v[i] if par[at.PARTICIPATION] == 0 else muldiv(v[i], par[at.PARTICIPATION], 10_000)
                    if par[at.PARTICIPATION] == 0:
                        inst[k, at.CAP] = NEVER
                    at_open(sc, par, inst, orders, fills, trades, agents, k, t, o[i])
            else:
                inst[k, at.HERE] = 0
        if busy:
            for k in range(count):
                if inst[k, at.HERE] and inst[k, at.WORKING] > 0:
                    i = inst[k, at.PTR]
                    if v[i] > 0:
                        inside_bar(sc, par, inst, orders, fills, trades, agents, k, t, h[i], low[i])
        equity = sc[at.CASH]
        gross = 0
        for k in range(count):
            if inst[k, at.HERE]:
                inst[k, at.CLOSE] = c[inst[k, at.PTR]]
            pos = inst[k, at.POS]
            if pos != 0:
                worth = value(inst, k, abs(pos), inst[k, at.CLOSE])
                gross += worth
                equity += worth if pos > 0 else -worth
        equity_at[row] = equity
        gross_at[row] = gross
        if now >= sc[at.NEXT_DAY]:
            sc[at.DAY_START] = equity if now % DAY_NS == 0 else sc[at.LAST_EQUITY]
            sc[at.NEXT_DAY] = (now // DAY_NS + 1) * DAY_NS
            sc[at.TRADES_TODAY] = 0
        sc[at.LAST_EQUITY] = equity
        if sc[at.BREAK_UNTIL] != 0 and now >= sc[at.BREAK_UNTIL]:
            sc[at.BREAK_UNTIL] = 0
            sc[at.PEAK] = equity
        if equity > sc[at.PEAK]:
            sc[at.PEAK] = equity
        elif par[at.DRAWDOWN_BP] > 0 and sc[at.BREAK_UNTIL] == 0:
            if sc[at.PEAK] - equity > muldiv(sc[at.PEAK], par[at.DRAWDOWN_BP], 10_000):
                sc[at.BREAK_UNTIL] = now + par[at.DRAWDOWN_PAUSE] * bar if par[at.DRAWDOWN_PAUSE] > 0 else NEVER
        for k in range(count):
            if not inst[k, at.HERE]:
                continue
            i = inst[k, at.PTR]
            inst[k, at.PTR] = i + 1
            r = inst[k, at.STOP_SLOT]
            if r >= 0 and orders[r, at.O_KIND] == TRAILING and v[i] > 0:  # T1, T2
                if not (orders[r, at.O_DECIDED] == t and orders[r, at.O_INSIDE]):
                    if orders[r, at.O_SIDE] < 0:
                        orders[r, at.O_TRIGGER] = max(orders[r, at.O_TRIGGER], h[i] - orders[r, at.O_TRAIL])
                    else:
                        orders[r, at.O_TRIGGER] = min(orders[r, at.O_TRIGGER], low[i] + orders[r, at.O_TRAIL])
            if now < par[at.START_NS]:
                continue
            side = 1 if x[i] > 0 else (-1 if x[i] < 0 else 0)
            if side == inst[k, at.WANT_SIDE] and inst[k, at.BLOCK_SIDE] == 0 and par[at.REBALANCE] == 0:
                continue
            decide(
                sc, par, inst, orders, decisions, agents, times, equity_at, k, now, row, equity,
                x[i], size_bp[i], stop[i], take[i], agree[i], vol_bp[i] if len(vol_bp) > 0 else 0,
            )  # fmt: skip
    sc[at.ROW] = len(times)
    return len(times)
