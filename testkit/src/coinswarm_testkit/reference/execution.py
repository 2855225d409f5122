"""Execution: an order in equal parts, evenly over the time it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.contracts import ExecutionAgent
from coinswarm.domain.order import ChildOrder, OrderKind, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import Order, RiskApproved
    from coinswarm_testkit.reference.settings import SlicerSettings

SECOND_NS = 10**9


class Slicer(ExecutionAgent):
    """Equal parts at equal distances of time; what must be done at once is one part.

    A part is never worth less than the venue takes: where the price is not known (an empty book, no limit),
    the order stays whole.
    """

    def __init__(self, settings: SlicerSettings) -> None:
        self.settings = settings

    def get_config(self) -> dict[str, Any]:
        """The settings in force."""
        return self.settings.model_dump(mode="json")

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        """The parts of an approved order."""
        item = order.item
        parts = 1 if item.tif in {TimeInForce.IOC, TimeInForce.FOK} else self.parts(item, book)
        begin = item.decided_ns
        step = self.settings.seconds * SECOND_NS
        if item.expire_ns:
            step = min(step, (item.expire_ns - begin) // parts)
        each, rest = divmod(item.lots, parts)
        return [self.child(item, begin + number * step, each + (number < rest)) for number in range(parts)]

    def child(self, order: Order, at_ns: int, lots: int) -> ChildOrder:
        """One part: with the order's limit where it has one, else at the market, at once."""
        if order.tif is TimeInForce.FOK or order.kind is OrderKind.LIMIT:
            return ChildOrder(
                at_ns=at_ns, lots=lots, kind=order.kind, limit=order.limit, tif=order.tif, expire_ns=order.expire_ns
            )
        return ChildOrder(at_ns=at_ns, lots=lots)

    def parts(self, order: Order, book: OrderBook) -> int:
        """How many parts the order can have."""
        price = order.limit or min((ticks for ticks, _ in book.facing(order.side)), default=0)
        numerator, denominator = book.instrument.value_ratio
        smallest = book.instrument.min_notional_units
        if smallest and not price:
            return 1
        lots = -(-smallest * denominator // (price * numerator)) if smallest else 1
        return max(1, min(self.settings.slices, order.lots // max(lots, 1)))
