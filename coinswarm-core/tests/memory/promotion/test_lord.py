"""LORD++ levels: those of another package, exact sums, and two makers that agree."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.lord import gamma, level
from coinswarm.memory.promotion.numbers import Place
from coinswarm.memory.promotion.rules import FIRST_LOOK_DAYS, looked

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


@given(st.integers(0, 5_000))
def test_looks_are_where_they_were_fixed_and_nowhere_else(days: int) -> None:
    shown, look = looked(range(days))
    if days < FIRST_LOOK_DAYS:
        assert (len(shown), look) == (0, 0)
        return
    assert len(shown) == FIRST_LOOK_DAYS * 2**look <= days < FIRST_LOOK_DAYS * 2 ** (look + 1)
    assert list(shown) == list(range(len(shown))), "what came since is not shown"


def test_who_proposes_on_the_day_that_passes_gains_nothing() -> None:
    """Records without an edge, asked about every day for two years; three looks of one level are all there are."""
    rng, place, maker = np.random.default_rng(7), Place(1, (), 0), Decimals()
    found = 0
    for _ in range(300):
        record: list[int] = np.rint(10_000 * rng.standard_normal(720)).astype(int).tolist()
        asked = {looked(record[:days])[1]: looked(record[:days])[0] for days in range(180, 721)}
        assert sorted(asked) == [0, 1, 2]
        found += any(not maker.discovery(shown, place._replace(looks=look), 600_000) for look, shown in asked.items())
    most = level(place, Fraction(600_000, 1_000_000)) * 2
    assert found / 300 < float(most) + 3 * (float(most) / 300) ** 0.5
