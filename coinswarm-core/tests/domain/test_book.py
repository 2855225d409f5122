"""An order book: what an order finds, and what is no book."""

from __future__ import annotations

from decimal import Decimal

import pytest

from coinswarm.domain.book import OrderBook
from coinswarm.domain.instrument import Instrument

BTC = Instrument("BTC/USD", Decimal(1), Decimal("0.01"))
BOOK = OrderBook(BTC, 7, ((99, 5), (98, 10)), ((101, 4), (105, 20)))


def test_an_order_takes_from_the_other_side_up_to_its_limit() -> None:
    assert (BOOK.facing(1), BOOK.facing(-1)) == (BOOK.asks, BOOK.bids)
    assert [BOOK.depth(1), BOOK.depth(1, 104), BOOK.depth(1, 101), BOOK.depth(1, 100)] == [24, 4, 4, 0]
    assert [BOOK.depth(-1), BOOK.depth(-1, 99), BOOK.depth(-1, 98), BOOK.depth(-1, 100)] == [15, 5, 15, 0]


def test_a_book_may_be_empty_or_crossed() -> None:
    assert not OrderBook(BTC, 0).crossed
    assert not BOOK.crossed
    assert OrderBook(BTC, 0, ((101, 1),), ((101, 1),)).crossed
    assert OrderBook(BTC, 0).depth(1) == 0


@pytest.mark.parametrize(
    ("bids", "asks", "said"),
    [
        (((98, 1), (99, 1)), (), "bid 99 stands behind 98"),
        ((), ((99, 1), (99, 1)), "ask 99 stands behind 99"),
        (((0, 1),), (), "price of a level of bids is 0"),
        ((), ((1, 0),), "quantity of a level of asks is 0"),
        ((), ((1, 0.5),), "0.5"),
    ],
)
def test_what_is_no_book(bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        OrderBook(BTC, 0, bids, asks)
