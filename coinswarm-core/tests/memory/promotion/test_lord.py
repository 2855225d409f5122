"""LORD++ levels: those of another package, exact sums, and two makers that agree."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.memory.promotion.lord import gamma, level
from coinswarm.memory.promotion.numbers import Place

REFERENCE = json.loads(Path(__file__).with_name("promotion_reference.json").read_text(encoding="utf-8"))["lord"]
FDR = Fraction(1, 20)

places = st.builds(Place, st.integers(1, 200), st.lists(st.integers(1, 200), max_size=20).map(tuple), st.integers(0, 9))


def test_levels_are_those_of_online_fdr() -> None:
    """The same stream of tests, by that package's sequence instead of ours; a first look has half of the level."""
    spent = [Fraction(one) for one in REFERENCE["spend"]]
    found = []
    for number in range(1, len(REFERENCE["levels"]) + 1):
        past = tuple(one for one in REFERENCE["rejected"] if one < number)
        one = level(Place(number, past, 0), FDR, lambda lag: spent[lag - 1] if lag > 0 else Fraction(0))
        found.append(float(2 * one))
    assert len(REFERENCE["rejected"]) > 3
    assert found == pytest.approx(REFERENCE["levels"], rel=1e-12)


def test_the_sequence_sums_to_one_and_never_grows() -> None:
    assert sum(gamma(lag) for lag in range(1, 1_000)) == Fraction(999, 1_000)
    assert [gamma(lag) for lag in (-1, 0, 1, 2)] == [0, 0, Fraction(1, 2), Fraction(1, 6)]


@given(places)
def test_looks_share_one_level(place: Place) -> None:
    looks = [level(place._replace(looks=look), FDR) for look in range(50)]
    assert looks == sorted(looks, reverse=True)
    assert sum(looks) == 2 * looks[0] * Fraction(50, 51)


@given(places)
def test_discoveries_only_help_and_their_order_means_nothing(place: Place) -> None:
    bare, found = level(place._replace(discoveries=()), FDR), level(place, FDR)
    assert found >= bare > 0
    assert level(place._replace(discoveries=place.discoveries[::-1]), FDR) == found
    later = tuple(one for one in place.discoveries if one >= place.number)
    assert level(place._replace(discoveries=later), FDR) == bare


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_what_is_spent_was_earned(rejected: list[bool]) -> None:
    """Levels up to any test sum to no more than the rate times the discoveries by then, or the rate before any."""
    spent, past = Fraction(0), list[int]()
    for number, found in enumerate(rejected, 1):
        spent += 2 * level(Place(number, tuple(past), 0), FDR)
        assert spent <= FDR * max(1, len(past))
        if found:
            past.append(number)


def test_who_is_not_registered_has_no_level() -> None:
    assert level(Place(0, (1, 2), 0), FDR) == 0
