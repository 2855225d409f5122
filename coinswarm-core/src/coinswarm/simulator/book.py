"""What the reference exchange keeps of an account: working orders and holdings."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from coinswarm.domain.order import EndReason, OrderFlags, OrderKind

if TYPE_CHECKING:
    from coinswarm.domain.order import Order
    from coinswarm.simulator.money import Scale

UNLIMITED = (1 << 63) - 1

WORKING = EndReason.WORKING
_STOPS = (OrderKind.STOP, OrderKind.TRAILING_STOP, OrderKind.STOP_LIMIT)
_LIMITS = (OrderKind.LIMIT, OrderKind.STOP_LIMIT)
_REDUCE_ONLY, _PROTECTIVE = OrderFlags.REDUCE_ONLY.value, OrderFlags.PROTECTIVE.value
# An enum's member or flag takes as long to look up as all the rest of a comparison: here and wherever orders pass,
# it is looked up once, when the module is loaded.


class WorkingOrder:
    """An order on the exchange; the exchange alone changes it.

    ``seen`` tells whether it has met an open, ``triggered`` whether its stop has gone off, ``born_ref`` and
    ``inside`` how the entry that it guards filled; ``reduce_only``, ``protective`` and ``is_stop`` (a
    protective stop) what it is for; ``waits`` whether it has a trigger, ``limited`` whether it has a limit.
    """

    __slots__ = (
        "agree",
        "born_ref",
        "end_ns",
        "end_reason",
        "filled",
        "inside",
        "is_stop",
        "limited",
        "lots",
        "order",
        "protective",
        "reduce_only",
        "seen",
        "seq",
        "side",
        "trigger",
        "triggered",
        "waits",
    )

    def __init__(self, seq: int, order: Order, agree: int = 0) -> None:
        self.seq = seq
        self.order = order
        self.side = order.side
        self.lots = order.lots
        self.trigger = order.trigger
        self.filled = 0
        self.seen = self.triggered = False
        self.end_ns = 0
        self.end_reason = WORKING
        self.born_ref = 0
        self.inside = False
        self.agree = agree
        kind, flags = order.kind, int(order.flags)
        self.waits = kind in _STOPS
        self.limited = kind in _LIMITS
        self.reduce_only = flags & _REDUCE_ONLY != 0
        self.protective = flags & _PROTECTIVE != 0
        self.is_stop = self.protective and self.waits


ORDER_ROW = attrgetter(
    "seq", "order.parent", "order.instrument", "order.decided_ns", "side", "order.kind", "lots", "order.limit",
    "trigger", "order.tif", "order.flags", "end_ns", "end_reason",
)  # fmt: skip
"""The hashed fields of an order (``canonical.ORDER_FIELDS``, S16)."""


class Holding:
    """What the account holds of one instrument, and its working orders in sequence order.

    ``dust`` marks a position too small to be sold (Q5); ``carry`` is the fraction of a lot still
    owed as fee (P4), in millionths; ``room`` what this bar's volume still allows. ``num`` and ``den`` are
    those of its scale.
    """

    __slots__ = ("carry", "close", "den", "dust", "lots", "num", "room", "scale", "working")

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self.num, self.den = scale.num, scale.den
        self.lots = self.close = self.carry = 0
        self.room = UNLIMITED
        self.dust = False
        self.working: list[WorkingOrder] = []

    def value(self) -> int:
        """Signed worth at the last close, in money units."""
        lots = self.lots
        if lots >= 0:
            return lots * self.close * self.num // self.den
        return -(-lots * self.close * self.num // self.den)
