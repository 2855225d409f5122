"""The entry order that an intent asks for, before anybody approved it (D6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.clock import DAY_NS
from coinswarm.domain.order import Order, OrderFlags, OrderKind, TimeInForce
from coinswarm.simulator.money import part_up

if TYPE_CHECKING:
    from coinswarm.execution.style import OrderStyle

LIMIT, STOP, STOP_LIMIT = OrderKind.LIMIT, OrderKind.STOP, OrderKind.STOP_LIMIT
DAY, GTD = TimeInForce.DAY, TimeInForce.GTD
NONE = OrderFlags.NONE


def entry_prices(style: OrderStyle, side: int, close: int) -> tuple[int, int]:
    """Limit and trigger of an entry at a close, in ticks; 0 for none.

    :param side: 1 buys, -1 sells.
    :param close: the last close in ticks.
    """
    kind = style.entry
    if kind not in (LIMIT, STOP, STOP_LIMIT):
        return 0, 0
    offset = part_up(close, style.offset_ppm)
    if kind == LIMIT:
        return max(close - side * offset, 1), 0
    trigger = max(close + side * offset, 1)
    if kind == STOP:
        return 0, trigger
    return max(trigger + side * part_up(close, style.limit_offset_ppm), 1), trigger


def entry_order(  # noqa: PLR0913 - what an entry depends on
    style: OrderStyle,
    k: int,
    now: int,
    bar_ns: int,
    *,
    side: int,
    lots: int,
    close: int,
    stop_ticks: int,
    take_ticks: int,
) -> Order:
    """The entry order of instrument ``k``, decided at ``now``.

    :param bar_ns: bar length; a GTD entry works a number of bars.
    :param stop_ticks, take_ticks: distances of the bracket to attach when it fills.
    """
    limit, trigger = entry_prices(style, side, close)
    expire, tif = 0, style.tif
    if tif == DAY:
        expire = (now // DAY_NS + 1) * DAY_NS
    elif tif == GTD:
        expire = now + style.ttl_bars * bar_ns
    return Order(k, now, side, style.entry, lots, limit, trigger, 0, tif, expire, NONE, -1, stop_ticks, take_ticks)
