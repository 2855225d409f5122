"""How entries and brackets are placed, as integers."""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm.domain.order import OrderKind, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStyle:
    """How an approved intent is worked.

    :param entry: kind of the entry order; exits are market orders.
    :param offset_ppm: distance of an entry's limit (better than the close) or trigger (beyond the
        close) from the last close, in millionths of it.
    :param limit_offset_ppm: for a stop-limit entry: how far beyond its trigger the limit lies.
    :param tif: time in force of the entry.
    :param ttl_bars: bars that a GTD entry works.
    :param trailing: the protective stop trails by its distance.
    """

    entry: OrderKind = OrderKind.MARKET
    offset_ppm: int = 0
    limit_offset_ppm: int = 0
    tif: TimeInForce = TimeInForce.GTC
    ttl_bars: int = 0
    trailing: bool = False
