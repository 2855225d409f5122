"""The table of orders: one is appended, ends, or is withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import WITHDRAWN
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I2


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
