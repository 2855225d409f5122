"""Which fills made a closed trade, and at which average prices it was entered and left."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coinswarm.canonical import ORDER_FIELDS
from coinswarm.domain.order import OrderFlags

if TYPE_CHECKING:
    from coinswarm.engine.result import RunResult

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]

PARTS = 1_000
"""Average prices are whole thousandths of a tick."""
_INSTRUMENT, _SIDE, _FLAGS = (ORDER_FIELDS.index(name) for name in ("instrument", "side", "flags"))


class Averages(NamedTuple):
    """Average prices of trades, int64[n], in thousandths of a tick, rounded half to even; 0 where nothing filled."""

    entry: I1
    exit: I1


def trade_fills(result: RunResult) -> list[list[int]]:
    """Rows of ``result.fills`` that belong to each closed trade, in the order of ``result.trade_rows``.

    The trades of an instrument follow one another: each takes its fills up to the one that closed it. Where one
    ends and the next begins in the same bar, the next begins with the first entry after an exit.
    """
    found: list[list[int]] = [[] for _ in result.trade_rows]
    order = result.orders[np.searchsorted(result.orders[:, 0], result.fills[:, 0])]
    for k in range(len(result.instruments)):
        places = np.flatnonzero(result.trade_rows[:, 0] == k).tolist()
        rows = np.flatnonzero(order[:, _INSTRUMENT] == k).tolist()
        bars = result.fills[rows, 1].tolist()
        reduces = ((order[rows, _FLAGS] & OrderFlags.REDUCE_ONLY) != 0).tolist()
        opens = result.trade_rows[places, 2].tolist()
        at = 0
        for number, place in enumerate(places):
            closed = int(result.trade_rows[place, 3])
            again = number + 1 == len(places) or opens[number + 1] == closed  # after the last, one may be open yet
            left = False
            while at < len(rows) and bars[at] <= closed:
                if left and again and bars[at] == closed and not reduces[at]:
                    break
                left = left or reduces[at]
                found[place].append(rows[at])
                at += 1
    return found


def still_open(result: RunResult) -> list[tuple[int, int] | None]:
    """Per instrument, the bar in which the trade that is open at the end began, and its side; None for none."""
    closed = {row for rows in trade_fills(result) for row in rows}
    order = result.orders[np.searchsorted(result.orders[:, 0], result.fills[:, 0])]
    found: list[tuple[int, int] | None] = [None] * len(result.instruments)
    for row, (k, side) in enumerate(order[:, [_INSTRUMENT, _SIDE]].tolist()):
        if row not in closed and found[k] is None:
            found[k] = (int(result.fills[row, 1]), side)
    return found


def average_prices(result: RunResult) -> Averages:
    """At which average prices, spread and slippage included, each closed trade was entered and left."""
    side = result.orders[np.searchsorted(result.orders[:, 0], result.fills[:, 0]), _SIDE].tolist()
    lots, ticks = result.fills[:, 2].tolist(), result.fills[:, 3].tolist()
    averages: tuple[list[int], list[int]] = ([], [])
    for rows, of_trade in zip(trade_fills(result), result.trade_rows[:, 1].tolist(), strict=True):
        for into, wanted in zip(averages, (of_trade, -of_trade), strict=True):
            own = [row for row in rows if side[row] == wanted]
            into.append(_average([(lots[row], ticks[row]) for row in own]))
    return Averages(*(np.array(part, np.int64) for part in averages))


def _average(fills: list[tuple[int, int]]) -> int:
    """The average price of some fills."""
    total = sum(lots for lots, _ in fills)
    if not total:
        return 0
    whole, rest = divmod(PARTS * sum(lots * ticks for lots, ticks in fills), total)
    return whole + (2 * rest > total or (2 * rest == total and whole % 2 == 1))
