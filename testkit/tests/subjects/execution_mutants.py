"""Execution agents that break one demand each. The repaired twin of each is the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.order import ChildOrder, OrderKind, TimeInForce
from coinswarm_testkit.reference.execution import Slicer
from coinswarm_testkit.reference.settings import SlicerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.book import OrderBook
    from coinswarm.domain.order import Order, RiskApproved


class Mutant(Slicer):
    """Needs no settings."""

    def __init__(self) -> None:
        super().__init__(SlicerSettings())


class FollowsTheHash(Mutant):
    """Waits as long as a text hashes to."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        parts = super().slice(order, book)
        if order.item.tif is TimeInForce.GTC:
            return [replace(part, at_ns=part.at_ns + hash("wait") % 1_000_000) for part in parts]
        return parts


class TakesTurns(Mutant):
    """Slices every other order."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = False

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        self.whole = not self.whole
        parts = super().slice(order, book)
        return [replace(parts[0], lots=order.item.lots)] if self.whole else parts


class DropsTheRest(Mutant):
    """Equal parts only: what does not divide is forgotten."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        parts = super().slice(order, book)
        each = order.item.lots // len(parts)
        return [replace(part, lots=each) for part in parts]


class RoundsUp(Mutant):
    """A reduce-only order closes a lot more than it may."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        parts = list(super().slice(order, book))
        if order.item.flags:
            parts[-1] = replace(parts[-1], lots=parts[-1].lots + 1)
        return parts


class Crumbles(Mutant):
    """As many parts as there are lots, up to five."""

    def parts(self, order: Order, book: OrderBook) -> int:  # noqa: ARG002 - that is the fault
        return min(self.settings.slices, order.lots)


class ChasesThePrice(Mutant):
    """Pays one tick more to be sure."""

    def child(self, order: Order, at_ns: int, lots: int) -> ChildOrder:
        part = super().child(order, at_ns, lots)
        return replace(part, limit=max(part.limit + order.side, 1)) if part.limit else part


class ForgetsTheLimit(Mutant):
    """Sends everything to the market."""

    def child(self, order: Order, at_ns: int, lots: int) -> ChildOrder:
        part = super().child(order, at_ns, lots)
        return replace(part, kind=OrderKind.MARKET, limit=0)


class TakesItsTime(Mutant):
    """A minute between two parts, whenever the order ends."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        untimed = type(order)(order.item._replace(expire_ns=0, tif=TimeInForce.IOC, kind=OrderKind.MARKET, limit=0))
        if order.item.tif in {TimeInForce.DAY, TimeInForce.GTD} and order.item.kind is OrderKind.MARKET:
            [whole] = super().slice(untimed, book)
            return [replace(whole, at_ns=order.item.decided_ns + 3_600 * 10**9)]
        return super().slice(order, book)


class NeverCancels(Mutant):
    """What has a limit works until it fills."""

    def child(self, order: Order, at_ns: int, lots: int) -> ChildOrder:
        part = super().child(order, at_ns, lots)
        return replace(part, tif=TimeInForce.GTC, expire_ns=0) if part.expire_ns else part


class ActsBeforeTheDecision(Mutant):
    """A second early is a second won."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        parts = super().slice(order, book)
        return (
            [replace(parts[0], at_ns=parts[0].at_ns - 10**9), *parts[1:]]
            if not order.item.expire_ns and (order.item.tif is TimeInForce.GTC)
            else parts
        )


class PartsWhatIsWhole(Mutant):
    """Slices all-or-nothing orders too."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        if order.item.tif is TimeInForce.FOK:
            patient = type(order)(order.item._replace(tif=TimeInForce.GTC))
            return [replace(part, tif=TimeInForce.FOK) for part in super().slice(patient, book)]
        return super().slice(order, book)


class NeedsAPrice(Mutant):
    """Looks at the best price on the other side."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        assert book.facing(order.item.side)[0]
        return super().slice(order, book)


class Shuffles(Mutant):
    """The last part first."""

    def slice(self, order: RiskApproved[Order], book: OrderBook) -> Sequence[ChildOrder]:
        return super().slice(order, book)[::-1]


MUTANTS = {
    FollowsTheHash: {"E10"},
    TakesTurns: {"E15"},
    DropsTheRest: {"E20", "E50"},
    RoundsUp: {"E20", "E50"},
    Crumbles: {"E25"},
    ChasesThePrice: {"E30"},
    ForgetsTheLimit: {"E30"},
    TakesItsTime: {"E40"},
    NeverCancels: {"E40"},
    ActsBeforeTheDecision: {"E40"},
    PartsWhatIsWhole: {"E45"},
    NeedsAPrice: {"E50"},
    Shuffles: {"E60"},
}
