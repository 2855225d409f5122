"""Orders, fills, and why an order ended or was refused. Codes are part of the order hash (S16)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Generic, NamedTuple, TypeVar

from coinswarm.domain.valid import member, whole


class OrderKind(IntEnum):
    """How an order becomes a fill."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING_STOP = 4


class TimeInForce(IntEnum):
    """How long an order works."""

    GTC = 0
    """Until cancelled."""
    IOC = 1
    """What fills at once; the rest is cancelled."""
    FOK = 2
    """All at once or nothing."""
    DAY = 3
    """Until the next 00:00 UTC."""
    GTD = 4
    """Until a given time."""


class OrderFlags(IntFlag):
    """What an order is for."""

    NONE = 0
    REDUCE_ONLY = 1
    """Never enlarges or turns a position."""
    PROTECTIVE = 2
    """A stop or target that guards a position."""
    OCO = 4
    """One cancels the other: its sibling has the same parent."""


class EndReason(IntEnum):
    """Why an order stopped working."""

    WORKING = 0
    """Still working when the run ended."""
    FILLED = 1
    WITHDRAWN = 2
    """The desk took it back: the intent changed, or a protective exit closed its side."""
    OCO = 3
    """The sibling filled."""
    EXPIRED = 4
    """Time in force ran out (DAY, GTD)."""
    IOC_REST = 5
    """What an IOC order could not fill at once."""
    FOK_KILLED = 6
    POSITION_CLOSED = 7
    """Reduce-only, and nothing is left to reduce."""
    NO_FUNDS = 8
    """Cash did not cover the (rest of the) order when it filled."""
    BELOW_MINIMUM = 9
    """The venue refuses an order below its lot or smallest notional."""


class Refusal(IntEnum):
    """Why the risk gate did not approve an order. 0 is an approval."""

    APPROVED = 0
    NO_SIZE = 1
    """Sizing came to less than one lot."""
    MIN_NOTIONAL = 2
    """The order is worth less than the instrument's smallest notional."""
    NOT_SHORTABLE = 3
    NO_STOP = 4
    """The profile demands a protective stop and the intent has none."""
    POSITION_LIMIT = 5
    """The position would be worth more than ``max_position_bp`` of equity."""
    EXPOSURE_LIMIT = 6
    """All positions together would be worth more than ``max_exposure_bp`` of equity."""
    LOSS_LIMIT = 7
    """The loss at the stop, costs included, exceeds ``max_loss_per_trade_bp`` of equity."""
    DAILY_LOSS = 8
    """Today's loss plus this order's loss at its stop exceeds ``daily_loss_bp``."""
    TRADES_PER_DAY = 9
    COOL_DOWN = 10
    """A protective exit closed this side; the intent has not left it and the cool-down is not over."""
    STOP_GUARD = 11
    """Too many protective stops within the guard's window."""
    DRAWDOWN = 12
    """The drawdown breaker is open."""
    ORDER_LIMIT = 13
    """The order is worth more than ``max_order_notional``."""
    PRICE_BAND = 14
    """Its price lies further from the last close than ``price_band_bp``."""
    NO_EQUITY = 15
    """Nothing is left to trade with."""


class Order(NamedTuple):
    """An instruction to a venue, before approval.

    :param instrument: index into the run's sorted instruments.
    :param decided_ns: when it was decided, nanoseconds since the epoch.
    :param side: 1 buys, -1 sells.
    :param lots: quantity in lots.
    :param limit: limit price in ticks (0 where the kind has none).
    :param trigger: stop trigger in ticks (0 where the kind has none).
    :param trail: trailing distance in ticks (0 where the kind has none).
    :param expire_ns: when a DAY or GTD order ends, else 0.
    :param parent: sequence number of the entry that this order guards, else -1.
    :param stop_ticks, take_ticks: bracket to attach when it fills (entries only).
    """

    instrument: int
    decided_ns: int
    side: int
    kind: OrderKind
    lots: int
    limit: int = 0
    trigger: int = 0
    trail: int = 0
    tif: TimeInForce = TimeInForce.GTC
    expire_ns: int = 0
    flags: OrderFlags = OrderFlags.NONE
    parent: int = -1
    stop_ticks: int = 0
    take_ticks: int = 0


class Fill(NamedTuple):
    """A trade on the venue.

    :param order: sequence number of the order.
    :param bar_ns: open time of the bar it happened in.
    :param lots: quantity in lots.
    :param ticks: price in ticks, costs included.
    :param fee: in money units of 1e-8 quote.
    """

    order: int
    bar_ns: int
    lots: int
    ticks: int
    fee: int


T = TypeVar("T")


class RiskApproved(Generic[T]):
    """An item that passed the risk gate; brokers accept nothing else.

    Only ``coinswarm.risk.gate`` constructs one (an import rule holds this).
    """

    __slots__ = ("item",)

    def __init__(self, item: T) -> None:
        self.item = item

    def __repr__(self) -> str:
        return f"RiskApproved({self.item!r})"


class RiskRefused(NamedTuple, Generic[T]):
    """An item that the gate turned down, and why."""

    item: T
    reason: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOrder:
    """A part of an approved order, as an execution agent wants it placed. *Provisional.*

    Instrument, side and flags are the parent's and not the child's to say: a slice of a reduce-only order
    cannot become anything else.

    :param at_ns: when it is sent, nanoseconds since the epoch; not before.
    :param lots: quantity in lots.
    :param kind: ``MARKET`` or ``LIMIT``.
    :param limit: limit price in ticks; 0 for a market order.
    :param tif: time in force.
    :param expire_ns: when a DAY or GTD child ends; 0 for the others.
    :raises ValueError: for a number that is not whole or out of range, or one that does not fit the kind.
    """

    at_ns: int
    lots: int
    kind: OrderKind = OrderKind.MARKET
    limit: int = 0
    tif: TimeInForce = TimeInForce.IOC
    expire_ns: int = 0

    def __post_init__(self) -> None:
        whole("at_ns of the child", self.at_ns)
        whole("lots of the child", self.lots, 1)
        member("kind of the child", self.kind, OrderKind)
        member("tif of the child", self.tif, TimeInForce)
        if self.kind not in {OrderKind.MARKET, OrderKind.LIMIT}:
            message = f"kind of the child is {self.kind!r}, but must be MARKET or LIMIT"
            raise ValueError(message)
        limited = self.kind is OrderKind.LIMIT
        whole("limit of the child", self.limit, 1 if limited else 0, None if limited else 0)
        timed = self.tif in {TimeInForce.DAY, TimeInForce.GTD}
        whole("expire_ns of the child", self.expire_ns, self.at_ns + 1 if timed else 0, None if timed else 0)
