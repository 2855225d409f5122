"""Pauses: they grow, they are capped, and no two clients need have the same."""

from __future__ import annotations

from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from coinswarm_nats.pauses import pauses

seconds = st.floats(0.01, 100)


@given(first=seconds, most=seconds, shares=st.lists(st.floats(0, 1), min_size=40, max_size=40))
def test_each_is_within_half_and_the_whole_of_a_doubling_that_ends(
    first: float, most: float, shares: list[float]
) -> None:
    drawn = iter(shares)
    found = list(islice(pauses(first, most, lambda: next(drawn)), 40))
    for number, pause in enumerate(found):
        whole = min(most, first * 2**number)
        assert whole / 2 * 0.999 <= pause <= whole * 1.001


@given(first=seconds, most=seconds)
def test_without_chance_they_grow_until_the_cap_and_stay(first: float, most: float) -> None:
    found = list(islice(pauses(first, most, lambda: 1.0), 40))
    assert all(later >= earlier for earlier, later in pairwise(found))
    assert found[-1] == most
