"""Episodes, the filter over them, and what a backend answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.episode import ANY, Episode, Filter, LogPosition, Match, MemoryInfo, MemoryStats, Space

ID = "ab" * 32
ONE = Episode(
    id=ID, agent="trend", instrument="BTC/USD", side=1, decided_ns=10, known_ns=20, result_ppm=-5, regime="range"
)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "ab"},
        {"agent": "Trend"},
        {"instrument": ""},
        {"side": 0},
        {"side": True},
        {"side": 1.0},
        {"decided_ns": -1},
        {"decided_ns": 2**63, "known_ns": 2**63},
        {"known_ns": 9},
        {"known_ns": 2**63},
        {"result_ppm": 0.5},
        {"result_ppm": 2**63},
        {"result_ppm": -(2**63) - 1},
        {"risk_ppm": -1},
        {"risk_ppm": 2**63},
        {"regime": "A b"},
        {"quality_bp": 10_001},
    ],
)
def test_what_is_no_episode(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))} of the episode"):
        replace(ONE, **change)


def test_a_number_that_no_column_holds_is_refused_with_its_bounds() -> None:
    most = 2**63 - 1
    largest = replace(ONE, decided_ns=most, known_ns=most, result_ppm=-(2**63), risk_ppm=most)
    assert largest.known_ns == most
    bounds = "is 9,223,372,036,854,775,808, but must be at least 20 and at most 9,223,372,036,854,775,807"
    with pytest.raises(ValueError, match=f"known_ns of the episode {bounds}"):
        replace(ONE, decided_ns=20, known_ns=2**63)
    with pytest.raises(ValueError, match="index of the log position"):
        LogPosition(2**63, ID)


@pytest.mark.parametrize(
    ("where", "admitted"),
    [
        (ANY, True),
        (Filter(agents=frozenset({"trend", "meanrev"})), True),
        (Filter(agents=frozenset({"meanrev"})), False),
        (Filter(instruments=frozenset({"BTC/USD"})), True),
        (Filter(instruments=frozenset({"ETH/USD"})), False),
        (Filter(sides=frozenset({-1})), False),
        (Filter(sides=frozenset({1})), True),
        (Filter(regimes=frozenset({"range"})), True),
        (Filter(regimes=frozenset({""})), False),
        (Filter(decided_from_ns=10), True),
        (Filter(decided_from_ns=11), False),
        (Filter(decided_before_ns=10), False),
        (Filter(decided_before_ns=11), True),
        (Filter(agents=frozenset({"trend"}), sides=frozenset({-1})), False),
    ],
)
def test_a_filter_admits_what_meets_all_of_it(where: Filter, admitted: bool) -> None:  # noqa: FBT001 - the expectation
    assert where.admits(ONE) is admitted


def test_a_filter_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends at 5, at or before its beginning 5"):
        Filter(decided_from_ns=5, decided_before_ns=5)


@pytest.mark.parametrize("distance", [-0.1, 2.1, float("nan"), float("inf"), 1])
def test_a_distance_is_a_number_from_0_to_2(distance: float) -> None:
    with pytest.raises(ValueError, match="distance of the match"):
        Match(ID, distance)
    assert (Match(ID, 0.0).distance, Match(ID, 2.0).distance) == (0.0, 2.0)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1.0 + 4e-7, 1.0 + 1e-6, 1.001, 1e-30, 1e30]))
def test_what_is_asked_is_taken_as_it_is_where_its_length_is_1(seed: int, length: float) -> None:
    space = Space("main", "state.1", 384)
    drawn = np.random.default_rng(seed).standard_normal(384)
    vector = (drawn / np.linalg.norm(drawn) * length).astype(np.float32)
    asked = space.asked(vector)
    assert (asked is vector) == (abs(length - 1.0) < 4.5e-7)
    assert asked == pytest.approx(space.unit(vector), abs=1e-6)
    for other in (vector.repeat(2)[::2], np.frombuffer(vector.tobytes(), np.float32)):
        again = space.asked(other)
        assert again.flags.carray, "compiled code is made for arrays that may be written and have no gaps"
        assert again == pytest.approx(asked, abs=1e-6)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_what_has_no_direction_can_neither_be_kept_nor_asked(value: float) -> None:
    space = Space("main", "state.1", 4)
    for take in (space.unit, space.asked):
        with pytest.raises(ValueError, match=f"has the length {value}: it has no direction"):
            take(np.full(4, value, np.float32))
        with pytest.raises(ValueError, match=r"is float64\[4\], but must be float32\[4\]"):
            take(np.ones(4))
        with pytest.raises(ValueError, match=r"is list\[\], but must be float32\[4\]"):
            take([1.0] * 4)


def test_spaces_positions_and_counters_are_held_to_their_ranges() -> None:
    for wrong in (("Main", "a", 1), ("main", "A", 1), ("main", "a", 0), ("main", "a", 4_097)):
        with pytest.raises(ValueError, match="is"):
            Space(*wrong)
    with pytest.raises(ValueError, match="index of the log position"):
        LogPosition(0, ID)
    with pytest.raises(ValueError, match="entries"):
        MemoryInfo(-1, 0, exact=True)
    with pytest.raises(ValueError, match="recall_ns"):
        MemoryStats(0, 0, 0, 0, -1)
