"""The run: timestamp after timestamp (E5, T1, T2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import DAY_NS, NEVER, TRAILING, TRIGGERED
from coinswarm.simulator.kernel.desk import decide
from coinswarm.simulator.kernel.exchange import at_open, expire_and_fund, inside_bar
from coinswarm.simulator.kernel.gate import mark
from coinswarm.simulator.kernel.money import muldiv, value
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I1, I2, Series, Short, State


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
