"""The columnar engine's hot loop: desk, sizing, gate and exchange in one jitted file.

Implements ``rules.md`` and the rules of ``risk`` on int64 arrays; ``reference.py`` and ``risk`` are
the plain twins, and a differential test holds both to one order hash. All mutable state lives in the
arrays of ``layout.py``, so that a run can stop before any timestamp (a table is nearly full) and go on.

Everything jitted stays in this one file: numba does not notice an edited callee in another.
"""

from __future__ import annotations

from coinswarm._jit import typed_jit
from coinswarm.simulator import layout as at
from coinswarm.simulator.layout import Series, State

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
def value(m: State, k: int, lots: int, ticks: int) -> int:
    """Worth of ``lots`` at ``ticks``, in money units, rounded down."""
    den = m.tab[at.I + k, at.DEN]
    if den == 1:
        return lots * ticks * m.tab[at.I + k, at.NUM]
    return muldiv(lots * ticks, m.tab[at.I + k, at.NUM], den)


@jit
def lots_for(m: State, k: int, units: int, ticks: int) -> int:
    """The most lots worth at most ``units`` at ``ticks``."""
    return min(muldiv(units, m.tab[at.I + k, at.DEN], ticks * m.tab[at.I + k, at.NUM]), m.tab[at.I + k, at.MAX_LOTS])


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
    m: State,
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
    r = m.tab[at.SC, at.N_ORDERS]
    m.tab[at.SC, at.N_ORDERS] = r + 1
    m.orders[r, at.O_SEQ] = r
    m.orders[r, at.O_PARENT] = parent
    m.orders[r, at.O_INST] = k
    m.orders[r, at.O_DECIDED] = now
    m.orders[r, at.O_SIDE] = side
    m.orders[r, at.O_KIND] = kind
    m.orders[r, at.O_LOTS] = lots
    m.orders[r, at.O_LIMIT] = limit
    m.orders[r, at.O_TRIGGER] = trigger
    m.orders[r, at.O_TIF] = tif
    m.orders[r, at.O_FLAGS] = flags
    m.orders[r, at.O_END] = 0
    m.orders[r, at.O_REASON] = 0
    m.orders[r, at.O_FILLED] = 0
    m.orders[r, at.O_STATE] = 0
    m.orders[r, at.O_EXPIRE] = expire
    return r


@jit
def end_order(m: State, k: int, slot: int, ns: int, reason: int) -> None:
    """End the order in a slot, if there is one."""
    r = m.tab[at.I + k, slot]
    if r >= 0:
        m.orders[r, at.O_END] = ns
        m.orders[r, at.O_REASON] = reason
        m.tab[at.I + k, slot] = -1
        m.tab[at.I + k, at.WORKING] -= 1


@jit
def withdraw_entry(m: State, k: int, bar_ns: int, side: int) -> None:
    """B3, B4: no entry goes on working on a side that its bracket is closing."""
    entry = m.tab[at.I + k, at.ENTRY_SLOT]
    if entry >= 0 and m.orders[entry, at.O_SIDE] == side:
        end_order(m, k, at.ENTRY_SLOT, bar_ns, WITHDRAWN)


@jit
def close_trade(m: State, k: int, bar_ns: int, pnl: int, stopped: int) -> None:
    """Record the trade that ended, credit the agents that agreed (S5), and run the stop guard."""
    n = m.tab[at.SC, at.N_LOG]
    m.tab[at.SC, at.N_LOG] = n + 1
    m.log[n, 0] = at.TRADE
    risk, agree = m.tab[at.I + k, at.T_RISK], m.tab[at.I + k, at.T_AGREE]
    m.log[n, 1] = k
    m.log[n, 2] = m.tab[at.I + k, at.T_SIDE]
    m.log[n, 3] = m.tab[at.I + k, at.T_OPENED]
    m.log[n, 4] = bar_ns
    m.log[n, 5] = m.tab[at.I + k, at.T_LOTS]
    m.log[n, 6] = pnl
    m.log[n, 7] = m.tab[at.I + k, at.T_FEES]
    m.log[n, 8] = risk
    m.log[n, 9] = agree
    m.log[n, 10] = stopped
    m.tab[at.I + k, at.T_SIDE] = 0
    if risk > 0:
        total = 0
        for a in range(m.tab[at.PAR, at.AGENTS]):
            if (agree >> a) & 1:
                total += m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_WEIGHT]
        r_bp = R_CAP_BP
        if abs(pnl) < R_CAP_BP // 10_000 * risk:
            r_bp = muldiv(abs(pnl), 10_000, risk)
        for a in range(m.tab[at.PAR, at.AGENTS]):
            if (agree >> a) & 1 and total > 0:
                share = m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_WEIGHT] * 10_000 // total
                if pnl > 0:
                    m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_WINS] += share
                    m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_WON] += share * r_bp // 10_000
                else:
                    m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOSSES] += share
                    m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOST] += share * r_bp // 10_000
    if stopped and m.tab[at.PAR, at.GUARD_COUNT] > 0:
        now = bar_ns + m.tab[at.PAR, at.BAR]
        ring = at.RING + m.tab[at.SC, at.RING_AT]
        m.tab[at.SC, ring] = now
        m.tab[at.SC, at.RING_AT] = (m.tab[at.SC, at.RING_AT] + 1) % m.tab[at.PAR, at.GUARD_COUNT]
        oldest = m.tab[at.SC, at.RING + m.tab[at.SC, at.RING_AT]]
        if oldest >= 0 and oldest >= now - m.tab[at.PAR, at.GUARD_BARS] * m.tab[at.PAR, at.BAR]:
            m.tab[at.SC, at.GUARD_UNTIL] = now + m.tab[at.PAR, at.GUARD_PAUSE] * m.tab[at.PAR, at.BAR]


@jit
def flatten_slots(m: State, k: int, bar_ns: int, filler: int) -> None:
    """B3, D5: the position is flat; ``filler`` is the order that closed it."""
    protective = m.orders[filler, at.O_FLAGS] & PROTECTIVE
    side = -m.orders[filler, at.O_SIDE]
    other = OCO if protective else CLOSED
    end_order(m, k, at.STOP_SLOT, bar_ns, other)
    end_order(m, k, at.TAKE_SLOT, bar_ns, other)
    end_order(m, k, at.EXIT_SLOT, bar_ns, CLOSED)
    if protective:
        withdraw_entry(m, k, bar_ns, side)
    if protective and m.tab[at.I + k, at.WANT_SIDE] == side:  # D5
        m.tab[at.I + k, at.BLOCK_SIDE] = side
        m.tab[at.I + k, at.BLOCK_UNTIL] = bar_ns + (1 + m.tab[at.PAR, at.COOL_BARS]) * m.tab[at.PAR, at.BAR]
        m.tab[at.I + k, at.BLOCK_SAID] = 0


@jit
def fill(m: State, k: int, slot: int, bar_ns: int, ref: int, taker: int, inside: int) -> int:
    """Fill the order in ``slot`` at reference price ``ref`` as far as Q1-Q5 allow; returns the lots filled."""
    r = m.tab[at.I + k, slot]
    side = m.orders[r, at.O_SIDE]
    pos = m.tab[at.I + k, at.POS]
    reduce = m.orders[r, at.O_FLAGS] & REDUCE
    want = m.orders[r, at.O_LOTS] - m.orders[r, at.O_FILLED]
    if reduce:
        if pos * side >= 0:  # Q2: nothing to reduce
            end_order(m, k, slot, bar_ns, CLOSED)
            return 0
        held = abs(pos)
        want = min(want, held)
        if value(m, k, held, ref) < m.tab[at.I + k, at.MIN_UNITS]:  # Q5
            flow = value(m, k, held, ref) * (1 if pos > 0 else -1)
            protective = m.orders[r, at.O_FLAGS] & PROTECTIVE
            stopped = 1 if protective and m.orders[r, at.O_KIND] != LIMIT else 0
            close_trade(m, k, bar_ns, m.tab[at.I + k, at.T_CASH] + flow, stopped)
            m.tab[at.I + k, at.T_CASH] = -flow
            end_order(m, k, slot, bar_ns, BELOW_MINIMUM)
            flatten_slots(m, k, bar_ns, r)
            return 0
    elif pos * side < 0 and m.tab[at.I + k, at.T_SIDE] != 0:  # Q3 (dust of the other side does not block)
        return 0
    lots = min(want, m.tab[at.I + k, at.CAP])
    if lots <= 0 or (m.orders[r, at.O_TIF] == FOK and lots < want):
        return 0
    if taker:
        adverse = (ref * (m.tab[at.PAR, at.SPREAD] + 2 * m.tab[at.PAR, at.SLIP]) + 2 * PPM - 1) // (2 * PPM)
        price = max(ref + side * adverse, 1)
        limit = m.orders[r, at.O_LIMIT]
        if limit > 0:
            price = min(price, limit) if side > 0 else max(price, limit)
        ppm = m.tab[at.PAR, at.TAKER]
    else:
        price = ref
        ppm = m.tab[at.PAR, at.MAKER]
    in_base = m.tab[at.PAR, at.FEE_BASE] != 0 and side > 0 and m.tab[at.I + k, at.SHORTABLE] == 0
    funds = True
    if side > 0 and not reduce:  # Q4
        worth = value(m, k, lots, price)
        need = worth if in_base else worth + fee_of(worth, ppm)
        if need > m.tab[at.SC, at.CASH]:
            funds = False
            low, high = 0, lots
            while low < high:
                mid = (low + high + 1) // 2
                worth = value(m, k, mid, price)
                need = worth if in_base else worth + fee_of(worth, ppm)
                if need <= m.tab[at.SC, at.CASH]:
                    low = mid
                else:
                    high = mid - 1
            if low < want and m.orders[r, at.O_TIF] == FOK:
                return 0
            lots = low
            if lots == 0:
                end_order(m, k, slot, bar_ns, NO_FUNDS)
                return 0
    worth = value(m, k, lots, price)
    fee = fee_of(worth, ppm)
    flow = -side * worth
    got = lots
    if in_base:  # P4
        owed = (lots % PPM) * ppm + m.tab[at.I + k, at.CARRY]
        got = lots - (lots // PPM) * ppm - owed // PPM
        m.tab[at.I + k, at.CARRY] = owed % PPM
    else:
        flow -= fee
    m.tab[at.SC, at.CASH] += flow
    m.tab[at.SC, at.FEES] += fee
    m.tab[at.SC, at.ADVERSE] += value(m, k, lots, abs(price - ref))
    m.tab[at.I + k, at.CAP] -= lots
    m.orders[r, at.O_FILLED] += lots
    n = m.tab[at.SC, at.N_LOG]
    m.tab[at.SC, at.N_LOG] = n + 1
    m.log[n, 0] = at.FILL
    m.log[n, 1] = r
    m.log[n, 2] = bar_ns
    m.log[n, 3] = lots
    m.log[n, 4] = price
    m.log[n, 5] = fee
    m.log[n, 6] = ref
    new = pos + side * got
    m.tab[at.I + k, at.POS] = new
    if m.tab[at.I + k, at.T_SIDE] == 0:  # a trade opens
        m.tab[at.I + k, at.T_SIDE] = side
        if pos == 0:
            m.tab[at.I + k, at.T_CASH] = 0
        m.tab[at.I + k, at.T_FEES] = 0
        m.tab[at.I + k, at.T_OPENED] = bar_ns
        m.tab[at.I + k, at.T_LOTS] = 0
        m.tab[at.I + k, at.T_RISK] = m.orders[r, at.O_RISK]
        m.tab[at.I + k, at.T_AGREE] = m.orders[r, at.O_AGREE]
    m.tab[at.I + k, at.T_CASH] += flow
    m.tab[at.I + k, at.T_FEES] += fee
    m.tab[at.I + k, at.T_LOTS] = max(m.tab[at.I + k, at.T_LOTS], abs(new))
    done = m.orders[r, at.O_FILLED] >= m.orders[r, at.O_LOTS]
    if new == 0:
        protective = m.orders[r, at.O_FLAGS] & PROTECTIVE
        stopped = 1 if protective and m.orders[r, at.O_KIND] != LIMIT else 0
        end_order(m, k, slot, bar_ns, FILLED if done else CLOSED)
        close_trade(m, k, bar_ns, m.tab[at.I + k, at.T_CASH], stopped)
        flatten_slots(m, k, bar_ns, r)
        return lots
    if done:
        end_order(m, k, slot, bar_ns, FILLED)
    elif not funds:
        end_order(m, k, slot, bar_ns, NO_FUNDS)
    if not reduce and m.tab[at.I + k, at.STOP_SLOT] < 0 and m.tab[at.I + k, at.TAKE_SLOT] < 0:  # B1
        stop, take = m.orders[r, at.O_STOP], m.orders[r, at.O_TAKE]
        target = price + side * take
        flags = REDUCE | PROTECTIVE
        if stop > 0 and take > 0 and target > 0:
            flags |= OCO_FLAG
        if stop > 0:
            kind = TRAILING if m.tab[at.PAR, at.TRAILING] else STOP
            trigger = max(price - side * stop, 1)
            s = add_order(m, k, bar_ns, -side, kind, abs(new), 0, trigger, GTC, 0, flags, r)
            m.orders[s, at.O_TRAIL] = stop
            m.orders[s, at.O_BORN_REF] = ref
            m.orders[s, at.O_INSIDE] = inside
            m.tab[at.I + k, at.STOP_SLOT] = s
            m.tab[at.I + k, at.WORKING] += 1
        if take > 0 and target > 0:
            s = add_order(m, k, bar_ns, -side, LIMIT, abs(new), target, 0, GTC, 0, flags, r)
            m.orders[s, at.O_INSIDE] = inside
            m.tab[at.I + k, at.TAKE_SLOT] = s
            m.tab[at.I + k, at.WORKING] += 1
    else:  # B2
        for guard in (at.STOP_SLOT, at.TAKE_SLOT):
            g = m.tab[at.I + k, guard]
            if g >= 0:
                m.orders[g, at.O_LOTS] = m.orders[g, at.O_FILLED] + abs(new)
    return lots


@jit
def at_open(m: State, k: int, bar_ns: int, o: int) -> None:
    """E3: the instrument's working orders, in sequence order, at the open (F1-F5)."""
    last = -1
    while True:
        slot, r = -1, NEVER
        for candidate in range(at.ENTRY_SLOT, at.TAKE_SLOT + 1):
            q = m.tab[at.I + k, candidate]
            if last < q < r:
                slot, r = candidate, q
        if slot < 0:
            return
        last = r
        if m.orders[r, at.O_DECIDED] > bar_ns or (
            m.orders[r, at.O_FLAGS] & PROTECTIVE and m.orders[r, at.O_DECIDED] == bar_ns
        ):
            continue
        side, kind, limit = m.orders[r, at.O_SIDE], m.orders[r, at.O_KIND], m.orders[r, at.O_LIMIT]
        first = not m.orders[r, at.O_STATE] & SEEN
        m.orders[r, at.O_STATE] |= SEEN
        if kind in (STOP, TRAILING, STOP_LIMIT) and not m.orders[r, at.O_STATE] & TRIGGERED:
            if (o - m.orders[r, at.O_TRIGGER]) * side < 0:
                continue
            m.orders[r, at.O_STATE] |= TRIGGERED  # F2, F4
            first = True
            if m.orders[r, at.O_FLAGS] & PROTECTIVE:
                withdraw_entry(m, k, bar_ns, -side)
        if kind in (LIMIT, STOP_LIMIT):
            if (limit - o) * side > 0:  # F3, F4
                fill(m, k, slot, bar_ns, o, 1 if first else 0, 0)
        else:  # F1, F2, B4
            fill(m, k, slot, bar_ns, o, 1, 0)
        if m.tab[at.I + k, slot] == r and m.orders[r, at.O_TIF] == IOC:  # F5
            end_order(m, k, slot, bar_ns, IOC_REST)
        elif m.tab[at.I + k, slot] == r and m.orders[r, at.O_TIF] == FOK:
            end_order(m, k, slot, bar_ns, FOK_KILLED)


@jit
def stop_inside(m: State, k: int, r: int, bar_ns: int, hi: int, lo: int) -> None:
    """F6 for the protective stop."""
    if m.orders[r, at.O_STATE] & TRIGGERED:
        return  # B4: waits for the next open
    side, trigger = m.orders[r, at.O_SIDE], m.orders[r, at.O_TRIGGER]
    if (side < 0 and lo <= trigger) or (side > 0 and hi >= trigger):
        m.orders[r, at.O_STATE] |= TRIGGERED
        withdraw_entry(m, k, bar_ns, -side)
        ref = trigger
        if m.orders[r, at.O_DECIDED] == bar_ns:
            ref = min(ref, m.orders[r, at.O_BORN_REF]) if side < 0 else max(ref, m.orders[r, at.O_BORN_REF])
        fill(m, k, at.STOP_SLOT, bar_ns, ref, 1, 1)


@jit
def inside_bar(m: State, k: int, bar_ns: int, hi: int, lo: int) -> None:
    """E4: what the bar's range does (F6-F10)."""
    r = m.tab[at.I + k, at.STOP_SLOT]
    if r >= 0:
        stop_inside(m, k, r, bar_ns, hi, lo)
    r = m.tab[at.I + k, at.TAKE_SLOT]
    if r >= 0 and not (m.orders[r, at.O_DECIDED] == bar_ns and m.orders[r, at.O_INSIDE]):
        limit, side = m.orders[r, at.O_LIMIT], m.orders[r, at.O_SIDE]
        if (side > 0 and lo < limit) or (side < 0 and hi > limit):  # F7
            fill(m, k, at.TAKE_SLOT, bar_ns, limit, 0, 1)
    r = m.tab[at.I + k, at.ENTRY_SLOT]
    if r < 0 or m.orders[r, at.O_DECIDED] > bar_ns or m.orders[r, at.O_KIND] == MARKET:
        return
    had = m.tab[at.I + k, at.STOP_SLOT]
    side, kind, limit, trigger = (
        m.orders[r, at.O_SIDE],
        m.orders[r, at.O_KIND],
        m.orders[r, at.O_LIMIT],
        m.orders[r, at.O_TRIGGER],
    )
    if kind in (STOP, STOP_LIMIT) and not m.orders[r, at.O_STATE] & TRIGGERED:
        if (side > 0 and hi >= trigger) or (side < 0 and lo <= trigger):
            m.orders[r, at.O_STATE] |= TRIGGERED
            if kind == STOP or (limit - trigger) * side > 0:  # F6, F9
                fill(m, k, at.ENTRY_SLOT, bar_ns, trigger, 1, 1)
    elif kind != STOP and ((side > 0 and lo < limit) or (side < 0 and hi > limit)):  # F7
        fill(m, k, at.ENTRY_SLOT, bar_ns, limit, 0, 1)
    r = m.tab[at.I + k, at.STOP_SLOT]
    if r >= 0 and r != had:  # F10
        stop_inside(m, k, r, bar_ns, hi, lo)


@jit
def kelly_risk_bp(m: State, agree: int, stop: int, take: int) -> int:
    """Equity to put at risk at the stop, in basis points: fractional Kelly, at least the probe (S19).

    Zero-edge prior of ``PRIOR`` trades with the bracket's payoff b: p0 = 1 / (1 + b), wins of b R,
    losses of 1 R. Kelly = p (1 - lost / won), which is p - (1 - p) / payoff.
    """
    b = 10_000
    if take > 0:
        b = min(max(take * 10_000 // stop, 100), 1_000_000)
    prior = m.tab[at.PAR, at.PRIOR] * 10_000
    wins = prior * 10_000 // (10_000 + b)
    losses = prior - wins
    won, lost = wins * b // 10_000, losses
    for a in range(m.tab[at.PAR, at.AGENTS]):
        if (agree >> a) & 1:
            wins += m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_WINS]
            losses += m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOSSES]
            won += m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_WON]
            lost += m.tab[at.I + m.tab[at.PAR, at.INSTRUMENTS] + a, at.A_LOST]
    kelly = 0
    if won > lost and wins > 0:
        kelly = (wins * 10_000 // (wins + losses)) * ((won - lost) * 10_000 // won) // 10_000
    return max(kelly * m.tab[at.PAR, at.KELLY] // 10_000, m.tab[at.PAR, at.PROBE])


@jit
def loss_ticks(m: State, price: int, stop: int) -> int:
    """Loss per lot at the stop, both legs' costs included, in ticks (S17)."""
    return stop + part_up(price, 2 * m.tab[at.PAR, at.TAKER] + m.tab[at.PAR, at.SPREAD] + 2 * m.tab[at.PAR, at.SLIP])


@jit
def size_lots(
    m: State, k: int, equity: int, x: int, size_bp: int, stop: int, take: int, agree: int, vol_bp: int
) -> int:
    """S19: lots for an intent of exposure ``x`` at the last close."""
    price = m.tab[at.I + k, at.CLOSE]
    strength = abs(x)
    method = m.tab[at.PAR, at.METHOD]
    if method == LOTS:
        return min(muldiv(m.tab[at.I + k, at.FIXED_LOTS], strength, 10_000), m.tab[at.I + k, at.MAX_LOTS])
    cap_bp = size_bp
    if m.tab[at.PAR, at.MAX_POSITION] > 0:
        cap_bp = min(cap_bp, m.tab[at.PAR, at.MAX_POSITION])
    cap = lots_for(m, k, muldiv(equity, cap_bp, 10_000), price)
    if stop > 0 and m.tab[at.PAR, at.MAX_LOSS] > 0:
        cap = min(cap, lots_for(m, k, muldiv(equity, m.tab[at.PAR, at.MAX_LOSS], 10_000), loss_ticks(m, price, stop)))
    if method == FRACTION:
        lots = lots_for(m, k, muldiv(muldiv(equity, size_bp, 10_000), strength, 10_000), price)
    elif method == CALIBRATED:
        if stop <= 0:
            return 0
        risk = muldiv(muldiv(equity, kelly_risk_bp(m, agree, stop, take), 10_000), strength, 10_000)
        lots = lots_for(m, k, risk, stop)
    else:
        p = 5_000 + (strength - 5_000) * 3 // 10
        kelly = max((p * 15_000 // 10_000 - (10_000 - p)) * 10_000 // 15_000, 0)
        share = kelly * m.tab[at.PAR, at.KELLY] // 10_000 * 10_000 // (10_000 + vol_bp)
        lots = lots_for(m, k, muldiv(equity, share * m.tab[at.PAR, at.RISK_SCALING] // 10_000, 10_000), price)
    return min(lots, cap)


@jit
def gate(
    m: State,
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
    price = m.tab[at.I + k, at.CLOSE]
    if equity <= 0:
        return NO_EQUITY
    if side < 0 and m.tab[at.I + k, at.SHORTABLE] == 0:
        return NOT_SHORTABLE
    if now < m.tab[at.SC, at.BREAK_UNTIL]:
        return DRAWDOWN
    if now < m.tab[at.SC, at.GUARD_UNTIL]:
        return STOP_GUARD
    if m.tab[at.PAR, at.MAX_TRADES] > 0 and m.tab[at.SC, at.TRADES_TODAY] >= m.tab[at.PAR, at.MAX_TRADES]:
        return TRADES_PER_DAY
    if stop <= 0 and (m.tab[at.PAR, at.REQUIRE_STOP] or m.tab[at.PAR, at.METHOD] == CALIBRATED):
        return NO_STOP
    if lots < 1:
        return NO_SIZE
    worth = value(m, k, lots, price)
    lowest = max(price - stop, 1) if side > 0 else price
    if value(m, k, lots, lowest) < m.tab[at.I + k, at.MIN_UNITS]:
        return MIN_NOTIONAL
    if m.tab[at.PAR, at.MAX_ORDER] > 0 and worth > m.tab[at.PAR, at.MAX_ORDER]:
        return ORDER_LIMIT
    mine = worth + value(m, k, held, price)
    if m.tab[at.PAR, at.MAX_POSITION] > 0 and mine > muldiv(equity, m.tab[at.PAR, at.MAX_POSITION], 10_000):
        return POSITION_LIMIT
    if m.tab[at.PAR, at.MAX_EXPOSURE] > 0:
        gross = mine
        for j in range(m.tab[at.PAR, at.INSTRUMENTS]):
            if j != k:
                open_lots = abs(m.tab[at.I + j, at.POS])
                e = m.tab[at.I + j, at.ENTRY_SLOT]
                if e >= 0:
                    open_lots += m.orders[e, at.O_LOTS] - m.orders[e, at.O_FILLED]
                gross += value(m, j, open_lots, m.tab[at.I + j, at.CLOSE])
        if gross > muldiv(equity, m.tab[at.PAR, at.MAX_EXPOSURE], 10_000):
            return EXPOSURE_LIMIT
    loss = 0
    if stop > 0:
        loss = value(m, k, lots, loss_ticks(m, price, stop))
        if m.tab[at.PAR, at.MAX_LOSS] > 0 and loss > muldiv(equity, m.tab[at.PAR, at.MAX_LOSS], 10_000):
            return LOSS_LIMIT
    if m.tab[at.PAR, at.DAILY_LOSS_BP] > 0:
        lost = max(m.tab[at.SC, at.DAY_START] - equity, before - equity, 0)
        if lost + loss > muldiv(max(m.tab[at.SC, at.DAY_START], 0), m.tab[at.PAR, at.DAILY_LOSS_BP], 10_000):
            return DAILY_LOSS
    if m.tab[at.PAR, at.BAND] > 0:
        width = muldiv(price, m.tab[at.PAR, at.BAND], 10_000)
        if (limit > 0 and abs(limit - price) > width) or (trigger > 0 and abs(trigger - price) > width):
            return PRICE_BAND
    return 0


@jit
def record(
    m: State, now: int, k: int, x: int, size_bp: int, stop: int, take: int, agree: int, code: int, seq: int, lots: int
) -> None:
    """Keep a decision: an intent that changed, or a refusal."""
    n = m.tab[at.SC, at.N_LOG]
    m.tab[at.SC, at.N_LOG] = n + 1
    m.log[n, 0] = at.DECISION
    m.log[n, 1] = now
    m.log[n, 2] = k
    m.log[n, 3] = x
    m.log[n, 4] = size_bp
    m.log[n, 5] = stop
    m.log[n, 6] = take
    m.log[n, 7] = agree
    m.log[n, 8] = code
    m.log[n, 9] = seq
    m.log[n, 10] = lots


@jit
def decide(
    m: State,
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
    blocked = m.tab[at.I + k, at.BLOCK_SIDE]
    code = 0
    lots = 0
    seq = -1
    if blocked != 0:  # D5
        if s != blocked:
            m.tab[at.I + k, at.BLOCK_SIDE] = 0
        elif m.tab[at.PAR, at.COOL_BARS] > 0 and now >= m.tab[at.I + k, at.BLOCK_UNTIL]:
            m.tab[at.I + k, at.BLOCK_SIDE] = 0
            m.tab[at.I + k, at.WANT_SIDE] = 0
        else:
            if not m.tab[at.I + k, at.BLOCK_SAID]:
                m.tab[at.I + k, at.BLOCK_SAID] = 1
                record(m, now, k, x, size_bp, stop, take, agree, COOL_DOWN, -1, 0)
            return
    want = m.tab[at.I + k, at.WANT_SIDE]
    if s == want:
        change = abs(abs(x) - m.tab[at.I + k, at.WANT_BP])
        if s == 0 or m.tab[at.PAR, at.REBALANCE] == 0 or change <= m.tab[at.PAR, at.REBALANCE]:  # D1
            return
    m.tab[at.I + k, at.WANT_SIDE] = s
    m.tab[at.I + k, at.WANT_BP] = abs(x)
    end_order(m, k, at.ENTRY_SLOT, now, WITHDRAWN)
    pos = m.tab[at.I + k, at.POS]
    open_trade = m.tab[at.I + k, at.T_SIDE] != 0
    held = abs(pos) if pos * s > 0 else 0
    if s == want or held > 0:  # D3, D4
        end_order(m, k, at.EXIT_SLOT, now, WITHDRAWN)
    if open_trade and pos * s <= 0 and pos != 0 and m.tab[at.I + k, at.EXIT_SLOT] < 0:  # D2
        seq = add_order(m, k, now, -1 if pos > 0 else 1, MARKET, abs(pos), 0, 0, GTC, 0, REDUCE, -1)
        m.tab[at.I + k, at.EXIT_SLOT] = seq
        m.tab[at.I + k, at.WORKING] += 1
    if s != 0:
        price = m.tab[at.I + k, at.CLOSE]
        target = size_lots(m, k, equity, x, size_bp, stop, take, agree, vol_bp) if equity > 0 else 0
        lots = target - held
        if held > 0 and lots < 0 and s == want:  # D4, down
            lots = -lots
            if value(m, k, lots, price) >= m.tab[at.I + k, at.MIN_UNITS]:
                seq = add_order(m, k, now, -s, MARKET, lots, 0, 0, GTC, 0, REDUCE, -1)
                m.tab[at.I + k, at.EXIT_SLOT] = seq
                m.tab[at.I + k, at.WORKING] += 1
            record(m, now, k, x, size_bp, stop, take, agree, 0, seq, lots)
            return
        kind, limit, trigger, expire = m.tab[at.PAR, at.ENTRY_KIND], 0, 0, 0
        offset = part_up(price, m.tab[at.PAR, at.OFFSET])
        if kind == LIMIT:
            limit = max(price - s * offset, 1)
        elif kind in (STOP, STOP_LIMIT):
            trigger = max(price + s * offset, 1)
            if kind == STOP_LIMIT:
                limit = max(trigger + s * part_up(price, m.tab[at.PAR, at.LIMIT_OFFSET]), 1)
        if m.tab[at.PAR, at.TIF] == DAY:
            expire = (now // DAY_NS + 1) * DAY_NS
        elif m.tab[at.PAR, at.TIF] == GTD:
            expire = now + m.tab[at.PAR, at.TTL] * m.tab[at.PAR, at.BAR]
        code = gate(m, k, now, before, equity, s, lots, held, limit, trigger, stop)
        if code == 0:
            m.tab[at.SC, at.TRADES_TODAY] += 1
            seq = add_order(m, k, now, s, kind, lots, limit, trigger, m.tab[at.PAR, at.TIF], expire, 0, -1)
            m.orders[seq, at.O_STOP] = stop
            m.orders[seq, at.O_TAKE] = take
            m.orders[seq, at.O_AGREE] = agree
            m.orders[seq, at.O_RISK] = value(m, k, lots, stop)
            m.tab[at.I + k, at.ENTRY_SLOT] = seq
            m.tab[at.I + k, at.WORKING] += 1
    record(m, now, k, x, size_bp, stop, take, agree, code, seq, lots)


@jit
def expire_and_fund(m: State, s: Series, k: int, bar_ns: int) -> None:
    """E1 and E2."""
    r = m.tab[at.I + k, at.ENTRY_SLOT]
    if r >= 0 and 0 < m.orders[r, at.O_EXPIRE] <= bar_ns:
        end_order(m, k, at.ENTRY_SLOT, m.orders[r, at.O_EXPIRE], EXPIRED)
    i, end = m.tab[at.I + k, at.FUND], m.tab[at.I + k, at.FUND_END]
    while i < end and s.fund_ns[i] <= bar_ns:
        pos = m.tab[at.I + k, at.POS]
        if pos != 0:
            rate = s.fund_ppb[i]
            due = muldiv(value(m, k, abs(pos), m.tab[at.I + k, at.CLOSE]), abs(rate), 1_000_000_000)
            if (pos > 0) != (rate > 0):
                due = -due
            m.tab[at.SC, at.CASH] -= due
            m.tab[at.SC, at.FUNDING] += due
            m.tab[at.I + k, at.T_CASH] -= due
        i += 1
    m.tab[at.I + k, at.FUND] = i


@jit
def run(m: State, s: Series) -> int:
    """Run from timestamp ``ROW`` to the end, or to a timestamp before which a table must grow.

    :returns: the timestamp row reached; ``len(s.times)`` when done.
    """
    count = m.tab[at.PAR, at.INSTRUMENTS]
    bar = m.tab[at.PAR, at.BAR]
    for row in range(m.tab[at.SC, at.ROW], len(s.times)):
        if (
            m.tab[at.SC, at.N_ORDERS] + 6 * count > m.orders.shape[0]
            or m.tab[at.SC, at.N_LOG] + 12 * count > m.log.shape[0]
        ):
            m.tab[at.SC, at.ROW] = row
            return row
        t = s.times[row]
        now = t + bar
        busy = False
        for k in range(count):
            i = m.tab[at.I + k, at.PTR]
            if i < m.tab[at.I + k, at.PTR_END] and s.ts[i] == t:
                m.tab[at.I + k, at.HERE] = 1
                if m.tab[at.I + k, at.WORKING] > 0 or m.tab[at.I + k, at.FUND] < m.tab[at.I + k, at.FUND_END]:
                    expire_and_fund(m, s, k, t)
                if m.tab[at.I + k, at.WORKING] > 0 and s.volume[i] > 0:
                    busy = True
                    share = m.tab[at.PAR, at.PARTICIPATION]
                    m.tab[at.I + k, at.CAP] = muldiv(s.volume[i], share, 10_000) if share > 0 else NEVER
                    at_open(m, k, t, s.open[i])
            else:
                m.tab[at.I + k, at.HERE] = 0
        if busy:
            for k in range(count):
                if m.tab[at.I + k, at.HERE] and m.tab[at.I + k, at.WORKING] > 0:
                    i = m.tab[at.I + k, at.PTR]
                    if s.volume[i] > 0:
                        inside_bar(m, k, t, s.high[i], s.low[i])
        equity = m.tab[at.SC, at.CASH]
        gross = 0
        for k in range(count):
            if m.tab[at.I + k, at.HERE]:
                m.tab[at.I + k, at.CLOSE] = s.close[m.tab[at.I + k, at.PTR]]
            pos = m.tab[at.I + k, at.POS]
            if pos != 0:
                worth = value(m, k, abs(pos), m.tab[at.I + k, at.CLOSE])
                gross += worth
                equity += worth if pos > 0 else -worth
        s.equity_at[row] = equity
        s.gross_at[row] = gross
        if now >= m.tab[at.SC, at.NEXT_DAY]:
            m.tab[at.SC, at.DAY_START] = equity if now % DAY_NS == 0 else m.tab[at.SC, at.LAST_EQUITY]
            m.tab[at.SC, at.NEXT_DAY] = (now // DAY_NS + 1) * DAY_NS
            m.tab[at.SC, at.TRADES_TODAY] = 0
        m.tab[at.SC, at.LAST_EQUITY] = equity
        if m.tab[at.SC, at.BREAK_UNTIL] != 0 and now >= m.tab[at.SC, at.BREAK_UNTIL]:
            m.tab[at.SC, at.BREAK_UNTIL] = 0
            m.tab[at.SC, at.PEAK] = equity
        if equity > m.tab[at.SC, at.PEAK]:
            m.tab[at.SC, at.PEAK] = equity
        elif m.tab[at.PAR, at.DRAWDOWN_BP] > 0 and m.tab[at.SC, at.BREAK_UNTIL] == 0:
            if m.tab[at.SC, at.PEAK] - equity > muldiv(m.tab[at.SC, at.PEAK], m.tab[at.PAR, at.DRAWDOWN_BP], 10_000):
                m.tab[at.SC, at.BREAK_UNTIL] = (
                    now + m.tab[at.PAR, at.DRAWDOWN_PAUSE] * bar if m.tab[at.PAR, at.DRAWDOWN_PAUSE] > 0 else NEVER
                )
        for k in range(count):
            if not m.tab[at.I + k, at.HERE]:
                continue
            i = m.tab[at.I + k, at.PTR]
            m.tab[at.I + k, at.PTR] = i + 1
            r = m.tab[at.I + k, at.STOP_SLOT]
            if r >= 0 and m.orders[r, at.O_KIND] == TRAILING and s.volume[i] > 0:  # T1, T2
                if not (m.orders[r, at.O_DECIDED] == t and m.orders[r, at.O_INSIDE]):
                    if m.orders[r, at.O_SIDE] < 0:
                        m.orders[r, at.O_TRIGGER] = max(m.orders[r, at.O_TRIGGER], s.high[i] - m.orders[r, at.O_TRAIL])
                    else:
                        m.orders[r, at.O_TRIGGER] = min(m.orders[r, at.O_TRIGGER], s.low[i] + m.orders[r, at.O_TRAIL])
            if now < m.tab[at.PAR, at.START_NS]:
                continue
            side = 1 if s.exposure[i] > 0 else (-1 if s.exposure[i] < 0 else 0)
            if (
                side == m.tab[at.I + k, at.WANT_SIDE]
                and m.tab[at.I + k, at.BLOCK_SIDE] == 0
                and m.tab[at.PAR, at.REBALANCE] == 0
            ):
                continue
            before = 0
            if m.tab[at.PAR, at.DAILY_LOSS_BP] > 0:  # the last mark known 24 h ago
                j = m.tab[at.SC, at.ROLL]
                while j < row and s.times[j] + bar <= now - DAY_NS:
                    j += 1
                m.tab[at.SC, at.ROLL] = j
                before = s.equity_at[j - 1] if j > 0 else m.tab[at.PAR, at.START_CASH]
            volatility = s.vol_bp[i] if len(s.vol_bp) > 0 else 0
            x, size, stop, take, agree = s.exposure[i], s.size_bp[i], s.stop[i], s.take[i], s.agree[i]
            decide(m, k, now, before, equity, x, size, stop, take, agree, volatility)
    m.tab[at.SC, at.ROW] = len(s.times)
    return len(s.times)
