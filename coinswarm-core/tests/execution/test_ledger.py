"""The ledger: what a position earned from its first entry to flat, and whose idea it was (S5)."""

from __future__ import annotations

import pytest

from coinswarm.clock import HOUR_NS
from coinswarm.domain.order import Order, OrderFlags, OrderKind, TimeInForce
from coinswarm.domain.outcome import TradeOutcome
from coinswarm.execution.ledger import Ledger
from coinswarm.execution.style import OrderStyle
from coinswarm.risk.sizing import Costing
from coinswarm.simulator.book import WorkingOrder
from coinswarm.simulator.money import Scale

SCALE = Scale(1, 1, 0, shortable=True, max_lots=10**6)
"""One lot at one tick is worth one."""


class Book:
    """A ledger of two instruments, and what it told."""

    def __init__(self, cost_ppm: int = 0) -> None:
        self.told: list[tuple[int, TradeOutcome, WorkingOrder]] = []
        self.ledger = Ledger(
            ["A/B", "C/B"],
            [SCALE, SCALE],
            HOUR_NS,
            Costing(cost_ppm),
            lambda k, outcome, order: self.told.append((k, outcome, order)),
        )

    def fill(self, order: WorkingOrder, hour: int, lots: int, ticks: int, fee: int, held: int, k: int = 0) -> None:
        """A fill whose cash is lots x ticks and the fee."""
        flow = -order.side * lots * ticks - fee
        self.ledger.filled(k, order, hour * HOUR_NS, ticks, fee, flow, held)


def working(side: int, *, seq: int = 0, away: int = 0, agree: int = 0, stop: bool = False) -> WorkingOrder:
    """An order as the exchange holds it."""
    kind = OrderKind.STOP if stop else OrderKind.MARKET
    flags = OrderFlags.REDUCE_ONLY | OrderFlags.PROTECTIVE if stop else OrderFlags.NONE
    return WorkingOrder(seq, Order(0, 0, side, kind, 10, flags=flags, stop_ticks=away), agree)


def test_a_round_trip_is_one_outcome_with_fees_inside() -> None:
    book, entry, leave = Book(), working(1, away=50, agree=0b101), working(-1, seq=1)
    assert not book.ledger.is_open(0)
    book.fill(entry, 3, 10, 100, 2, held=10)
    assert book.ledger.is_open(0)
    assert not book.ledger.is_open(1)
    book.fill(leave, 7, 10, 130, 3, held=0)
    book.ledger.flat(0, leave, 7 * HOUR_NS, 0)
    assert not book.ledger.is_open(0)
    assert book.ledger.outcomes == [
        TradeOutcome("A/B", 1, 3 * HOUR_NS, 7 * HOUR_NS, 8 * HOUR_NS, 10, 295, 5, 500, 0b101, stopped=False)
    ]
    assert book.told == [(0, book.ledger.outcomes[0], leave)]


def test_partial_fills_add_up_and_the_first_one_says_whose_it_is() -> None:
    book, entry, more = Book(), working(-1, away=50, agree=0b01), working(-1, seq=1, away=90, agree=0b10)
    book.fill(entry, 1, 4, 100, 1, held=-4)
    book.fill(entry, 2, 6, 90, 1, held=-10)
    book.fill(more, 3, 5, 80, 1, held=-15)
    stop = working(1, seq=2, stop=True)
    book.fill(stop, 4, 15, 100, 2, held=0)
    book.ledger.flat(0, stop, 4 * HOUR_NS, 0)
    assert book.ledger.outcomes == [
        TradeOutcome("A/B", -1, HOUR_NS, 4 * HOUR_NS, 5 * HOUR_NS, 15, -165, 5, 750, 0b01, stopped=True)
    ]


@pytest.mark.parametrize(("away", "risk"), [(50, 15 * (50 + 3)), (0, 0)])
def test_costs_at_the_price_of_the_first_fill_belong_to_what_is_at_risk(away: int, risk: int) -> None:
    """A round trip of 2.5 % is three ticks at 100, and would be two at 80; without a stop nothing is at risk."""
    book, entry, leave = Book(25_000), working(1, away=away), working(-1, seq=1)
    book.fill(entry, 1, 10, 100, 0, held=10)
    book.fill(entry, 2, 5, 80, 0, held=15)
    book.fill(leave, 3, 15, 90, 0, held=0)
    book.ledger.flat(0, leave, 3 * HOUR_NS, 0)
    assert book.ledger.outcomes[0].risk == risk


def test_the_largest_quantity_held_counts_not_the_last() -> None:
    book, entry, leave = Book(), working(1), working(-1, seq=1)
    book.fill(entry, 1, 10, 100, 0, held=10)
    book.fill(leave, 2, 8, 100, 0, held=2)
    book.fill(leave, 3, 2, 100, 0, held=0)
    book.ledger.flat(0, leave, 3 * HOUR_NS, 0)
    assert book.ledger.outcomes[0].lots == 10


@pytest.mark.parametrize("paid", [40, -40])
def test_funding_belongs_to_the_open_trade(paid: int) -> None:
    book, entry, leave = Book(), working(1), working(-1, seq=1)
    book.fill(entry, 1, 10, 100, 0, held=10)
    book.ledger.funded(0, paid)
    book.fill(leave, 2, 10, 110, 0, held=0)
    book.ledger.flat(0, leave, 2 * HOUR_NS, 0)
    assert book.ledger.outcomes[0].pnl == 100 - paid


def test_each_instrument_has_its_own_trade() -> None:
    book, entry, leave = Book(), working(1), working(-1, seq=1)
    book.fill(entry, 1, 10, 100, 0, held=10)
    book.fill(working(-1, seq=2), 1, 5, 50, 0, held=-5, k=1)
    book.ledger.funded(1, 7)
    book.fill(leave, 2, 10, 90, 0, held=0)
    book.ledger.flat(0, leave, 2 * HOUR_NS, 0)
    assert [(o.instrument, o.pnl) for o in book.ledger.outcomes] == [("A/B", -100)]
    assert book.ledger.is_open(1)


def test_dust_left_behind_is_worth_its_residue_and_starts_the_next_trade_with_it() -> None:
    book, entry, leave = Book(), working(1), working(-1, seq=1)
    book.fill(entry, 1, 10, 100, 0, held=10)
    book.fill(leave, 2, 9, 110, 0, held=1)
    book.ledger.flat(0, leave, 2 * HOUR_NS, 110)  # one lot cannot be sold: worth 110
    assert book.ledger.outcomes[0].pnl == -1_000 + 990 + 110
    assert not book.ledger.is_open(0), "dust is no trade"
    again, out = working(1, seq=2, agree=0b10), working(-1, seq=3)
    book.fill(again, 5, 10, 100, 0, held=11)
    book.fill(out, 6, 11, 120, 0, held=0)
    book.ledger.flat(0, out, 6 * HOUR_NS, 0)
    second = book.ledger.outcomes[1]
    assert second.pnl == -110 - 1_000 + 1_320
    assert (second.lots, second.agree, second.opened_ns) == (11, 0b10, 5 * HOUR_NS)
    assert sum(o.pnl for o in book.ledger.outcomes) == -1_000 + 990 - 1_000 + 1_320, "nothing is counted twice"


def test_a_later_trade_starts_at_nothing() -> None:
    book = Book()
    for seq, hour in ((0, 1), (2, 5)):
        entry, leave = working(1, seq=seq, away=seq), working(-1, seq=seq + 1)
        book.fill(entry, hour, 10, 100, 3, held=10)
        book.fill(leave, hour + 1, 10, 101, 4, held=0)
        book.ledger.flat(0, leave, (hour + 1) * HOUR_NS, 0)
    assert [(o.pnl, o.fees, o.risk) for o in book.ledger.outcomes] == [(3, 7, 0), (3, 7, 20)]


def test_an_entry_is_a_plain_market_order_unless_the_profile_says_otherwise() -> None:
    style = OrderStyle()
    assert (style.entry, style.tif, style.offset_ppm, style.trailing) == (
        OrderKind.MARKET, TimeInForce.GTC, 0, False,
    )  # fmt: skip
