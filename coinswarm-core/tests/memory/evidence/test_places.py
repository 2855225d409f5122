"""Places say what lies there; a digest says how far a record went, and covers nothing else."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coinswarm.canonical import canonical_json, chain, digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import Reference
from coinswarm.memory.evidence.places import episode_text, is_series, return_links, split, trade_links, upto


@pytest.mark.parametrize(
    ("place", "kind", "whose"),
    [
        ("trade/ab", "trade", "ab"),
        ("trades/breakout/4h", "trades", "breakout/4h"),
        ("returns/trend", "returns", "trend"),
        ("trials/breakout/4h/fast.2", "trials", "breakout/4h/fast.2"),
        ("certificates/trend", "certificates", "trend"),
        ("trials/breakout", "", ""),
        ("trades", "", ""),
        ("weights/now", "", ""),
    ],
)
def test_a_place_says_what_lies_there(place: str, kind: str, whose: str) -> None:
    Reference(place, digest(1))
    assert split(place) == (kind, whose)
    assert is_series(place) == (kind in {"returns", "trials"})


RECORDS = some.lists(some.integers(-999_999, 10**9), min_size=1, max_size=8)


@given(RECORDS, some.data())
def test_a_digest_covers_one_beginning_of_a_record_and_no_other(values: list[int], data: some.DataObject) -> None:
    count = data.draw(some.integers(1, len(values)))
    cited = list(return_links("returns/trend", 20_000, values[:count]))[-1]
    assert upto(return_links("returns/trend", 20_000, values), cited) == count
    assert upto(return_links("returns/other", 20_000, values), cited) is None
    assert upto(return_links("returns/trend", 20_001, values), cited) is None
    changed = [*values]
    changed[data.draw(some.integers(0, count - 1))] += 1
    assert upto(return_links("returns/trend", 20_000, changed), cited) is None


def test_a_digest_of_nothing_covers_nothing() -> None:
    empty = next(return_links("returns/trend", 0, []))
    assert upto(return_links("returns/trend", 0, [1]), empty) is None
    assert upto(trade_links("trades/x", []), next(trade_links("trades/x", []))) is None


@pytest.mark.parametrize("instrument", ["BTC/USD", 'Öl "x"\\'])
def test_an_episode_has_the_one_spelling_that_proposals_have(instrument: str) -> None:
    one = Episode(
        id=digest(1), agent="a", instrument=instrument, side=-1, decided_ns=1, known_ns=2, result_ppm=-3, risk_ppm=4,
        stopped=True, regime="calm", quality_bp=5,
    )  # fmt: skip
    told = canonical_json({field.name: getattr(one, field.name) for field in fields(one)})
    assert episode_text(one).encode() == told
    start = digest({"schema": "coinswarm.trades/1", "place": "trades/x"})
    assert [*trade_links("trades/x", [one])] == [start, chain(start, told)]


def test_a_trade_in_another_place_has_another_digest() -> None:
    one = Episode(id=digest(1), agent="a", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=3)
    alone, among = ([*trade_links(place, [one])][-1] for place in ("trade/x", "trades/x"))
    assert alone != among
