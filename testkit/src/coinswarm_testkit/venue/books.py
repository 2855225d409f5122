"""The venue's books: orders, fills and balances of one account, and what the check makes happen in them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from coinswarm.domain.order import OrderKind
from coinswarm.domain.trading import FillReport, OrderReport, OrderState, Ticket

OPENED = datetime(2026, 11, 20, tzinfo=UTC)
FEE = Decimal("0.001")


class DuplicateError(Exception):
    """An order of this client id is there already."""


class RejectedError(Exception):
    """The venue does not take this order; the message says why."""


@dataclass
class Books:
    """One account. Time moves a millisecond with everything that happens.

    :param price: at which market orders trade.
    :param slices: quantities that a market order fills in, until it is filled; empty for all at once.
    :param lot: an order's quantity must be a multiple of it.
    """

    price: Decimal = Decimal(100)
    slices: tuple[Decimal, ...] = ()
    lot: Decimal = Decimal("0.001")
    rights: tuple[str, ...] = ("read", "trade")
    orders: dict[str, OrderReport] = field(default_factory=dict)
    fills: list[FillReport] = field(default_factory=list)
    events: list[OrderReport | FillReport] = field(default_factory=list)
    accepted: int = 0
    """Orders that were ever taken: what must not be two."""
    _number: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())

    def now(self) -> datetime:
        """The venue's clock."""
        self._number += 1
        return OPENED + timedelta(milliseconds=self._number)

    def submit(self, ticket: Ticket) -> OrderReport:
        """Take an order; a market order trades at once.

        :raises DuplicateError: for a client id that is known.
        :raises RejectedError: for an order that is not taken.
        """
        with self.changed:
            if ticket.client_id in self.orders:
                raise DuplicateError
            if ticket.quantity <= 0 or ticket.quantity % self.lot:
                message = f"quantity {ticket.quantity} is no multiple of {self.lot}"
                raise RejectedError(message)
            self.accepted += 1
            self._report(
                OrderReport(
                    client_id=ticket.client_id,
                    venue_id=f"v{self.accepted:06d}",
                    symbol=ticket.symbol,
                    side=ticket.side,
                    quantity=ticket.quantity,
                    filled=Decimal(0),
                    state=OrderState.WORKING,
                    at=self.now(),
                )
            )
            if ticket.kind is OrderKind.MARKET:
                left = ticket.quantity
                for part in (*self.slices, ticket.quantity):
                    if left > 0:
                        self.trade(ticket.client_id, min(part, left))
                        left -= min(part, left)
            return self.orders[ticket.client_id]

    def trade(self, client_id: str, quantity: Decimal) -> None:
        """Fill an order, wholly or in part, at the price."""
        with self.changed:
            order = self.orders[client_id]
            filled = order.filled + quantity
            assert not order.state.over, "an order that is over is not filled"
            assert filled <= order.quantity, "an order is not filled beyond its quantity"
            state = OrderState.FILLED if filled == order.quantity else OrderState.WORKING
            fill = FillReport(
                trade_id=str(len(self.fills) + 1),
                client_id=client_id,
                venue_id=order.venue_id,
                symbol=order.symbol,
                side=order.side,
                quantity=quantity,
                price=self.price,
                fee=quantity * self.price * FEE,
                fee_asset=order.symbol.partition("/")[2],
                at=self.now(),
                maker=False,
            )
            self.fills.append(fill)
            self.events.append(fill)
            self._report(_changed(order, filled=filled, state=state, at=self.now()))

    def cancel(self, client_id: str) -> OrderReport | None:
        """End an order, if it works; how it then stands."""
        with self.changed:
            order = self.orders.get(client_id)
            if order is not None and not order.state.over:
                self._report(_changed(order, state=OrderState.CANCELLED, at=self.now(), reason="cancelled"))
            return self.orders.get(client_id)

    def open_orders(self) -> list[OrderReport]:
        """Working orders by venue id."""
        with self.changed:
            return sorted((one for one in self.orders.values() if not one.state.over), key=lambda one: one.venue_id)

    def _report(self, order: OrderReport) -> None:
        self.orders[order.client_id] = order
        self.events.append(order)
        self.changed.notify_all()


def _changed(order: OrderReport, **fields: Any) -> OrderReport:  # noqa: ANN401 - the fields' own
    """A report with some fields changed."""
    return OrderReport(**{name: fields.get(name, getattr(order, name)) for name in OrderReport.__slots__})
