"""Quorum sizes: any two quorums share an honest voter, and the silent can be done without."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.memory.quorum.sizes import check_sizes, quorum, spare


@pytest.mark.parametrize(
    ("voters", "faulty", "needed"), [(3, 0, 2), (4, 1, 3), (5, 0, 3), (5, 1, 4), (6, 1, 4), (7, 2, 5), (1, 0, 1)]
)
def test_sizes_of_the_design(voters: int, faulty: int, needed: int) -> None:
    check_sizes(voters, faulty)
    assert quorum(voters, faulty) == needed


@pytest.mark.parametrize(("voters", "faulty"), [(3, 1), (4, 2), (6, 2), (1, 1)])
def test_too_few_voters_are_refused_with_the_number_it_takes(voters: int, faulty: int) -> None:
    with pytest.raises(ValueError, match=f"it takes {3 * faulty + 1}"):
        check_sizes(voters, faulty)


@given(st.integers(0, 3), st.integers(0, 4))
def test_two_quorums_share_more_than_the_faulty(faulty: int, more: int) -> None:
    voters = 3 * faulty + 1 + more
    needed = quorum(voters, faulty)
    assert spare(voters, faulty) >= faulty
    assert voters >= 2 * spare(voters, faulty) + faulty + 1
    if voters <= 7:
        sets = [set(one) for one in combinations(range(voters), needed)]
        assert min(len(one & two) for one in sets for two in sets) > faulty
    # One less would let two quorums share faulty voters only.
    assert 2 * (needed - 1) - voters <= faulty
