"""What neighbours come to: by hand, and by what must hold whatever they are (S20, S21)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coinswarm.domain.episode import Episode
from coinswarm.memory.recall.estimate import Neighbour, bounded, estimate, independent, outcome_of, scaled, weigh
from coinswarm.memory.recall.rules import RecallRules

RULES = RecallRules(half_life_ns=1_000, bandwidth=0.1, prior=10.0, other_regime=0.5)


def episode(number: int = 0, begin: int = 0, end: int = 1, **fields: object) -> Episode:
    """An episode; what the test does not say is the same for all."""
    told: dict[str, object] = {"result_ppm": 10_000, "risk_ppm": 20_000, **fields}
    return Episode(
        id=f"{number:064x}", agent="a", instrument="X/USD", side=1, decided_ns=begin, known_ns=end, **told,  # type: ignore[arg-type]
    )  # fmt: skip


def neighbour(outcome: float, weight: float) -> Neighbour:
    return Neighbour(episode(), 0.0, 0, outcome, weight)


def test_an_estimate_by_hand() -> None:
    near = [neighbour(1.0, 0.5)] * 6 + [neighbour(-1.0, 0.25)] * 2
    told = estimate(near, 0.2, RULES)
    # mass 3.5, squares 1.625: effective 7.538; (3 - 0.5 + 10 x 0.2) / 13.5 = 0.3333; 1 + 0.3333 - 0.2
    assert told.effective == pytest.approx(3.5 * 3.5 / 1.625)
    assert told.outcome == pytest.approx(4.5 / 13.5)
    assert (told.multiplier_bp, told.abstains) == (11_333, False)


def test_fewer_than_five_effective_neighbours_say_nothing() -> None:
    four = [neighbour(3.0, 1.0)] * 4
    assert estimate(four, 0.1, RULES) == (4.0, 0.1, 0.1, 10_000, True)
    lopsided = [neighbour(3.0, 1.0), *[neighbour(3.0, 0.01)] * 50]
    assert estimate(lopsided, 0.1, RULES).abstains, "fifty-one, but one of them weighs as much as all others"
    assert not estimate([neighbour(3.0, 1.0)] * 5, 0.1, RULES).abstains
    assert estimate([], 0.0, RULES) == (0.0, 0.0, 0.0, 10_000, True)


@given(st.floats(1e-6, 1.0), st.integers(1, 40))
@example(0.738167175519271, 5)
def test_so_many_neighbours_of_one_weight_are_that_many(weight: float, count: int) -> None:
    assert estimate([neighbour(1.0, weight)] * count, 0.1, RULES).abstains is (count < 5)
    five = [*[neighbour(1.0, weight)] * 4, neighbour(1.0, weight * (1.0 - 1e-4))]
    assert estimate(five, 0.1, RULES).abstains, "one of them weighs less"


def test_neighbours_like_everything_else_change_nothing() -> None:
    assert estimate([neighbour(0.4, 0.7)] * 20, 0.4, RULES).multiplier_bp == 10_000


def test_the_effect_on_confidence_is_bounded() -> None:
    assert estimate([neighbour(3.0, 1.0)] * 20, -3.0, RULES).multiplier_bp == 15_000
    assert estimate([neighbour(-3.0, 1.0)] * 20, 3.0, RULES).multiplier_bp == 5_000
    assert (bounded(0.1), bounded(1.0), bounded(7.0)) == (5_000, 10_000, 15_000)


@pytest.mark.parametrize(
    ("confidence", "multiplier", "came_to"),
    [(5_000, 15_000, 7_500), (9_000, 15_000, 10_000), (1, 5_000, 0), (3, 5_000, 2), (6_206, 10_659, 6_615)],
)
def test_confidence_is_scaled_half_to_even_and_stays_a_share(confidence: int, multiplier: int, came_to: int) -> None:
    assert scaled(confidence, multiplier) == came_to


def test_a_neighbour_counts_by_nearness_age_regime_and_quality() -> None:
    def weight(one: Episode, distance: float = 0.0, regime: str = "", now: int = 1) -> float:
        return weigh([(one, distance)], now_ns=now, regime=regime, rules=RULES)[0].weight

    assert weight(episode()) == 1.0
    assert weight(episode(), 0.1) == pytest.approx(0.5), "the bandwidth is where it counts half"
    assert weight(episode(), now=1_001) == pytest.approx(0.5), "the half-life too"
    assert weight(episode(regime="calm"), regime="wild") == 0.5
    assert weight(episode(regime="calm"), regime="calm") == 1.0
    assert weight(episode(), regime="wild") == 1.0, "nobody said what it was"
    assert weight(episode(quality_bp=2_500)) == 0.25


def test_outcomes_are_multiples_of_what_was_at_risk() -> None:
    assert outcome_of(episode()) == 0.5
    assert outcome_of(episode(result_ppm=900_000)) == 3.0
    assert outcome_of(episode(result_ppm=-900_000)) == -3.0
    assert [outcome_of(episode(result_ppm=ppm, risk_ppm=0)) for ppm in (5, 0, -5)] == [1.0, 0.0, -1.0]


def test_of_those_that_overlap_the_nearest_counts() -> None:
    hour = [episode(n, 10 * n, 10 * n + 15) for n in range(4)]  # each overlaps the next
    found = [(hour[1], 0.1), (hour[0], 0.2), (hour[2], 0.3), (hour[3], 0.4)]
    assert independent(found, 10) == [(hour[1], 0.1), (hour[3], 0.4)]
    assert independent(found, 1) == [(hour[1], 0.1)]
    touching = [(episode(0, 0, 10), 0.0), (episode(1, 10, 20), 0.0)]
    assert independent(touching, 10) == touching, "one was over when the other began"


WINDOWS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=30)


@given(windows=WINDOWS, most=st.integers(1, 30))
def test_no_two_chosen_overlap_and_nothing_is_left_out_without_reason(
    windows: list[tuple[int, int]], most: int
) -> None:
    found = [(episode(n, begin, begin + length), n / 100) for n, (begin, length) in enumerate(windows)]
    chosen = independent(found, most)

    def overlap(one: Episode, other: Episode) -> bool:
        return one.decided_ns < other.known_ns and other.decided_ns < one.known_ns

    for n, (one, _) in enumerate(chosen):
        assert not any(overlap(one, other) for other, _ in chosen[:n])
    assert [d for _, d in chosen] == sorted(d for _, d in chosen)
    if len(chosen) < most:
        for one, distance in found:
            nearer = [other for other, d in chosen if d <= distance]
            assert any(other is one or overlap(one, other) for other in nearer)


@given(
    outcomes=st.lists(st.tuples(st.floats(-3, 3), st.floats(0, 1)), max_size=30),
    base=st.floats(-3, 3),
)
def test_whatever_is_recalled_the_estimate_stays_within_bounds(
    outcomes: list[tuple[float, float]], base: float
) -> None:
    near = [neighbour(outcome, weight) for outcome, weight in outcomes]
    told = estimate(near, base, RULES)
    assert 5_000 <= told.multiplier_bp <= 15_000
    assert told.abstains == (told.effective < 5.0)
    assert told == estimate(near[::-1], base, RULES), "the order of neighbours does not show"
    low, high = min([base, *(o for o, _ in outcomes)]), max([base, *(o for o, _ in outcomes)])
    assert low - 1e-9 <= told.outcome <= high + 1e-9, "shrunk between what is recalled and the base rate"


def test_a_heavier_prior_says_less() -> None:
    near = [neighbour(1.0, 1.0)] * 10
    shy = estimate(near, 0.0, replace(RULES, prior=1_000.0))
    assert 10_000 < shy.multiplier_bp < estimate(near, 0.0, RULES).multiplier_bp
