"""Orders as a venue knows them: decimals and symbols instead of a run's ticks, lots and indices.

Money and quantities are exact decimals; times are aware UTC datetimes on the venue's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from coinswarm.domain.order import OrderKind, TimeInForce

if TYPE_CHECKING:
    from datetime import datetime

ZERO = Decimal(0)


class OrderState(StrEnum):
    """Where an order stands at its venue. How much of it is filled is a quantity, not a state."""

    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    """Ended before it was filled, by request or by the venue; part of it may be filled."""
    EXPIRED = "expired"
    REJECTED = "rejected"
    """The venue refused it; nothing of it ever worked."""

    @property
    def over(self) -> bool:
        """Whether the order can change no more."""
        return self is not OrderState.WORKING


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One order to be sent.

    :param client_id: core's own id, at most 36 letters, digits, ``-`` and ``_``; the same decision gives the same
        id, so that sending twice cannot trade twice.
    :param symbol: ``BASE/QUOTE``.
    :param side: 1 buys, -1 sells.
    :param quantity: in base, above 0, a multiple of the lot.
    :param limit, trigger: prices in quote, multiples of the tick; None where the kind has none.
    :param expire: when a GTD order ends.
    """

    client_id: str
    symbol: str
    side: int
    quantity: Decimal
    kind: OrderKind = OrderKind.MARKET
    limit: Decimal | None = None
    trigger: Decimal | None = None
    tif: TimeInForce = TimeInForce.GTC
    expire: datetime | None = None
    reduce_only: bool = False
    post_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """What the venue says about an order.

    :param venue_id: the venue's id; empty where it gave none (a rejection).
    :param filled: how much of ``quantity`` is filled, in base.
    :param at: when this became so.
    :param reason: the venue's words for why it ended; empty while it works.
    """

    client_id: str
    venue_id: str
    symbol: str
    side: int
    quantity: Decimal
    filled: Decimal
    state: OrderState
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillReport:
    """One trade of ours. ``(symbol, trade_id)`` is its identity.

    :param client_id: of the order; empty for an order that is not ours.
    :param price: in quote. :param quantity: in base.
    :param fee: positive when paid, negative when earned, in ``fee_asset``.
    :param maker: whether our order waited; None where the venue does not say.
    """

    trade_id: str
    client_id: str
    venue_id: str
    symbol: str
    side: int
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    at: datetime
    maker: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the account holds of one asset: what may be spent, and what open orders hold back."""

    asset: str
    free: Decimal
    held: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReport:
    """The account at one moment.

    :param balances: assets with anything in them, sorted by name.
    :param rights: what the keys may do, of ``read``, ``trade``, ``withdraw``; None where the venue does not tell.
    :param at: the venue's clock when it answered, from which core works out the offset of its own.
    """

    balances: tuple[Balance, ...]
    at: datetime
    rights: tuple[str, ...] | None = None
