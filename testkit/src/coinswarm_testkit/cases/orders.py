"""Approved orders and books for execution agents."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from coinswarm.domain.book import OrderBook
from coinswarm.domain.instrument import Instrument
from coinswarm.domain.order import Order, OrderFlags, OrderKind, RiskApproved, TimeInForce

SECOND_NS = 10**9
BEGIN_NS = 1_700_000_000 * SECOND_NS
INSTRUMENTS = (
    Instrument("BTC/USD", Decimal("0.5"), Decimal("0.0001"), Decimal(10)),
    Instrument("ETH/USD", Decimal("0.01"), Decimal("0.001")),
    Instrument("PEPE/USD", Decimal("0.00000001"), Decimal(1000), Decimal(5), shortable=True),
)
TIMED = (TimeInForce.DAY, TimeInForce.GTD)


class Question(NamedTuple):
    """What ``slice`` is asked."""

    order: RiskApproved[Order]
    book: OrderBook


def book(rng: np.random.Generator, instrument: Instrument, *, depth: int = 10, most: int = 10_000) -> OrderBook:
    """A book with a spread, some levels on both sides."""
    mid = int(rng.integers(10_000, 100_000))
    steps = rng.integers(1, 6, (2, depth)).cumsum(axis=1).tolist()
    lots = rng.integers(1, most + 1, (2, depth)).tolist()
    bids = tuple((mid - step, quantity) for step, quantity in zip(steps[0], lots[0], strict=True))
    asks = tuple((mid + step, quantity) for step, quantity in zip(steps[1], lots[1], strict=True))
    return OrderBook(instrument, BEGIN_NS, bids, asks)


def order(rng: np.random.Generator, shown: OrderBook) -> RiskApproved[Order]:
    """An entry or an exit, of any size, limit and time that it may have."""
    side = int(rng.choice([-1, 1]))
    kind = OrderKind(int(rng.choice([OrderKind.MARKET, OrderKind.LIMIT])))
    middle = shown.asks[0][0] if shown.asks else shown.bids[0][0] if shown.bids else 50_000
    tif = TimeInForce(int(rng.integers(0, 5)))
    decided = BEGIN_NS - int(rng.integers(0, SECOND_NS))
    most = int(rng.choice([1, 7, 1_000, 10_000_000]))
    return RiskApproved(
        Order(
            instrument=0,
            decided_ns=decided,
            side=side,
            kind=kind,
            lots=int(rng.integers(1, most + 1)),
            limit=max(middle + int(rng.integers(-200, 200)), 1) if kind is OrderKind.LIMIT else 0,
            tif=tif,
            expire_ns=decided + int(rng.choice([3, 1_000, 90 * SECOND_NS, 7_200 * SECOND_NS])) if tif in TIMED else 0,
            flags=OrderFlags.REDUCE_ONLY if rng.random() < 0.4 else OrderFlags.NONE,  # noqa: PLR2004 - a good part
        )
    )


def questions(seed: int, *, count: int = 300) -> list[Question]:
    """Ordinary books, every kind of order."""
    rng = np.random.default_rng([seed, 6])
    found = []
    for number in range(count):
        shown = book(rng, INSTRUMENTS[number % len(INSTRUMENTS)])
        found.append(Question(order(rng, shown), shown))
    return found


def hard_questions(seed: int) -> list[Question]:
    """Books that are empty, one-sided, thin or crossed."""
    rng = np.random.default_rng([seed, 7])
    found: list[Question] = []
    for instrument in INSTRUMENTS:
        whole, thin = book(rng, instrument), book(rng, instrument, depth=1, most=1)
        crossed = tuple((ticks + 100, lots) for ticks, lots in whole.bids)
        for shown in (
            OrderBook(instrument, BEGIN_NS),
            OrderBook(instrument, BEGIN_NS, whole.bids),
            OrderBook(instrument, BEGIN_NS, (), whole.asks),
            OrderBook(instrument, BEGIN_NS, crossed, whole.asks),
            OrderBook(instrument, BEGIN_NS, ((1, 1),), ((1, 1),)),
            thin,
        ):
            found.extend(Question(order(rng, shown), shown) for _ in range(12))
    return found
