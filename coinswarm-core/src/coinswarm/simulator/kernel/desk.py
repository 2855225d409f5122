"""From an intent to orders, or to a refusal (D1-D6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import (
    COOL_DOWN,
    DAY,
    DAY_NS,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    REDUCE,
    STOP,
    STOP_LIMIT,
    WITHDRAWN,
)
from coinswarm.simulator.kernel.gate import gate
from coinswarm.simulator.kernel.money import part_up, value
from coinswarm.simulator.kernel.orders import add_order, end_order
from coinswarm.simulator.kernel.sizing import size_lots
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I2


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
    leaving = tab[at.I + k, at.EXIT_SLOT]
    only_reduces = leaving >= 0 and orders[leaving, at.O_LOTS] - orders[leaving, at.O_FILLED] < abs(pos)
    if s == want or held > 0 or only_reduces:  # D3, D4, D2: what only reduces is no exit
        end_order(tab, orders, k, at.EXIT_SLOT, now, WITHDRAWN)
    if open_trade and pos * s <= 0 and pos != 0 and tab[at.I + k, at.EXIT_SLOT] < 0:  # D2
        seq = add_order(tab, orders, k, now, -1 if pos > 0 else 1, MARKET, abs(pos), 0, 0, GTC, 0, REDUCE, -1)
        tab[at.I + k, at.EXIT_SLOT] = seq
        tab[at.I + k, at.WORKING] += 1
    if s != 0:
        price = tab[at.I + k, at.CLOSE]
        target = size_lots(tab, k, equity, x, size_bp, stop, take, agree, vol_bp) if equity > 0 else 0
        lots = target - held
        if held > 0 and lots < 0 and open_trade:  # D3, D4: down
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
            tab[at.I + k, at.ENTRY_SLOT] = seq
            tab[at.I + k, at.WORKING] += 1
    record(tab, decisions, now, k, x, size_bp, stop, take, agree, code, seq, lots)
