"""The bundled weigher, and what every weigher must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.domain.intent import ActionRow, Exposure

if TYPE_CHECKING:
    from random import Random

SEATS = st.integers(1, 6)


@st.composite
def rows(draw: st.DrawFn, sides: tuple[int, ...] = (-1, 0, 1)) -> tuple[ActionRow, list[int]]:
    """A row of a committee, and weights that sum to 10,000."""
    n = draw(SEATS)
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=n - 1, max_size=n - 1)))
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    column = st.lists(st.sampled_from(sides), min_size=n, max_size=n)
    confidence = st.lists(st.integers(0, 10_000), min_size=n, max_size=n)
    present = st.lists(st.booleans(), min_size=n, max_size=n)
    return ActionRow(draw(column), draw(confidence), draw(present)), weights


@pytest.mark.parametrize(
    ("row", "weights", "said"),
    [
        (([1], [8_000], [True]), [10_000], (8_000, 10_000)),
        (([1, -1], [10_000, 10_000], [True, True]), [7_000, 3_000], (4_000, 10_000)),
        (([1, -1], [10_000, 10_000], [True, False]), [7_000, 3_000], (10_000, 7_000)),
        (([1, 0], [10_000, 10_000], [True, True]), [1, 9_999], (1, 10_000)),
        (([-1, 0], [9_999, 0], [True, True]), [1, 9_999], (0, 10_000)),  # toward zero
        (([1, 1], [10_000, 10_000], [False, False]), [5_000, 5_000], (0, 0)),
    ],
)
def test_by_hand(row: tuple[list[int], list[int], list[bool]], weights: list[int], said: tuple[int, int]) -> None:
    assert WeightedWeigher().step(ActionRow(*row), weights) == Exposure(*said)


@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_the_seats_does_not_matter(drawn: tuple[ActionRow, list[int]], random: Random) -> None:
    row, weights = drawn
    order = list(range(len(weights)))
    random.shuffle(order)
    mixed = ActionRow(
        [row.direction[i] for i in order], [row.confidence_bp[i] for i in order], [row.present[i] for i in order]
    )
    assert WeightedWeigher().step(mixed, [weights[i] for i in order]) == WeightedWeigher().step(row, weights)


@given(rows())
def test_bounds_and_participation(drawn: tuple[ActionRow, list[int]]) -> None:
    row, weights = drawn
    exposure, participation = WeightedWeigher().step(row, weights)
    assert abs(exposure) <= 10_000
    assert participation == sum(w for w, here in zip(weights, row.present, strict=True) if here)
    if not any(row.present):
        assert exposure == 0


@given(rows(sides=(0, 1)), st.sampled_from([1, -1]))
def test_stances_of_one_side_never_give_the_other(drawn: tuple[ActionRow, list[int]], side: int) -> None:
    row, weights = drawn
    turned = row._replace(direction=[side * d for d in row.direction])
    assert WeightedWeigher().step(turned, weights).exposure_bp * side >= 0


@given(rows())
def test_long_and_short_are_mirrors(drawn: tuple[ActionRow, list[int]]) -> None:
    row, weights = drawn
    mirrored = row._replace(direction=[-d for d in row.direction])
    there, back = WeightedWeigher().step(row, weights), WeightedWeigher().step(mirrored, weights)
    assert back == Exposure(-there.exposure_bp, there.participation_bp)
