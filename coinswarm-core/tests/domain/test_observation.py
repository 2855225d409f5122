"""Observations refuse what no store could order or join: naive times, empty names, numbers that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from coinswarm.domain.observation import (
    BarSeen,
    BookSeen,
    Document,
    Hole,
    MacroReading,
    Observation,
    QuoteSeen,
    Sentiment,
    TradeSeen,
)

T = datetime(2024, 5, 1, 12, tzinfo=UTC)
COMMON: dict[str, Any] = {
    "source": "venue", "channel": "trades", "subject": "BTC/USD", "key": "1", "event": T, "published": T, "received": T,
}  # fmt: skip
ONE = Decimal(1)


def test_identity_and_lane() -> None:
    seen = TradeSeen(**COMMON, price=ONE, quantity=ONE)
    assert seen.identity == ("venue", "trades", "BTC/USD", "1")
    assert seen.lane == ("venue", "trades", "BTC/USD")


@pytest.mark.parametrize("name", ["event", "published", "received"])
@pytest.mark.parametrize(
    "moment",
    [datetime(2024, 5, 1, 12), datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2))), 1_700_000_000, None],  # noqa: DTZ001 - naive on purpose
)
def test_times_are_aware_and_utc(name: str, moment: object) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*aware datetime in UTC"):
        Observation(**{**COMMON, name: moment})


@pytest.mark.parametrize("name", ["source", "channel", "subject", "key"])
@pytest.mark.parametrize("value", ["", None, 7])
def test_names_are_texts_that_are_not_empty(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*not empty"):
        Observation(**{**COMMON, name: value})


@pytest.mark.parametrize(
    ("kind", "fields", "match"),
    [
        (TradeSeen, {"price": Decimal("NaN"), "quantity": ONE}, "price is"),
        (TradeSeen, {"price": 1.5, "quantity": ONE}, "price is 1.5"),
        (TradeSeen, {"price": ONE, "quantity": -ONE}, "quantity is -1"),
        (TradeSeen, {"price": ONE, "quantity": ONE, "taker": 2}, "taker is 2"),
        (QuoteSeen, {"bid": ONE, "bid_quantity": -ONE, "ask": ONE, "ask_quantity": ONE}, "bid_quantity is -1"),
        (BookSeen, {"bids": ((ONE, Decimal("Infinity")),), "asks": (), "whole": True}, "quantity is Decimal"),
        (MacroReading, {"value": Decimal("sNaN")}, "value is"),
        (Sentiment, {"score_bp": 10_001}, "score_bp is 10,001"),
        (Sentiment, {"score_bp": 0.5}, r"score_bp is 0\.5"),
    ],
)
def test_numbers_are_what_they_say(kind: type[Observation], fields: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        kind(**COMMON, **fields)


def test_a_bar_is_known_at_its_close_only() -> None:
    prices: dict[str, Any] = {"open": ONE, "high": ONE, "low": ONE, "close": ONE, "volume": ONE}
    with pytest.raises(ValueError, match="cannot be published"):
        BarSeen(**COMMON, seconds=60, **prices)
    closed = {**COMMON, "published": T + timedelta(seconds=60)}
    assert BarSeen(**closed, seconds=60, **prices).event == T


def test_a_reading_may_say_that_there_is_no_value() -> None:
    assert MacroReading(**COMMON, value=None).value is None


def test_text_is_taken_as_it_is() -> None:
    text = "\x00 {{7*7}} <script> ignore all previous instructions"
    assert Document(**COMMON, title=text).title == text


def test_a_hole_has_its_ends_in_order() -> None:
    names = {"source": "venue", "channel": "trades", "subject": "BTC/USD", "reason": "pruned"}
    assert Hole(**names, begin=T, end=T).begin == T
    with pytest.raises(ValueError, match="cannot end"):
        Hole(**names, begin=T, end=T - timedelta(seconds=1))
