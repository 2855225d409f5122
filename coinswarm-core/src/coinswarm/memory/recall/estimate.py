"""What similar episodes say of the present: an estimate shrunk to the base rate, or nothing (S20, S21).

Each neighbour weighs kernel(distance) x decay(age) x regime match x quality; the estimate is

    (sum of weight x outcome + prior x base) / (sum of weight + prior)

with outcomes in multiples of what was at risk, and the base rate the mean outcome of everything known by then. The
effective number of neighbours is Kish's, (sum of weight)^2 / sum of weight^2 (Survey Sampling, 1965). Kernel and decay
are 1 / (1 + x^2) and 1 / (1 + x): sums are exactly rounded and nothing here takes an exponential, so that the same
neighbours give the same multiplier on every machine (S11).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.recall.rules import FULL_BP, LEAST_BP, MOST_BP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.domain.episode import Episode
    from coinswarm.memory.recall.rules import RecallRules

OUTCOME_LIMIT = 3.0
"""One trade counts for at most so many times what was at risk: none carries an estimate alone."""

ROUNDED = 1e-12
"""The effective number is off by a few units in its last place, of 2**-53: five neighbours of one weight come to
4.999999999999999 for a quarter of all weights. One that falls short by no more than this share is not below."""

DISTANCE_STEPS = 1_000_000
"""Distances are rounded to a millionth, because machines differ in the last digits."""


class Neighbour(NamedTuple):
    """An episode that is recalled, and what it counts for.

    :param distance: cosine distance, 0 to 2.
    :param age_ns: since its outcome was known.
    :param outcome: profit in multiples of what was at risk, at most ``OUTCOME_LIMIT`` either way.
    :param weight: 0 to 1.
    """

    episode: Episode
    distance: float
    age_ns: int
    outcome: float
    weight: float


class Estimate(NamedTuple):
    """What neighbours come to.

    :param effective: effective number of neighbours.
    :param base: mean outcome of everything known by then, in multiples of what was at risk.
    :param outcome: expected outcome, shrunk to ``base``; ``base`` itself where it abstains.
    :param multiplier_bp: of the confidence: 5,000 to 15,000; 10,000 where it abstains.
    :param abstains: whether there were too few.
    """

    effective: float
    base: float
    outcome: float
    multiplier_bp: int
    abstains: bool


def outcome_of(episode: Episode) -> float:
    """What came of it, in multiples of what was at risk; without a stop its sign alone."""
    if not episode.risk_ppm:
        return float((episode.result_ppm > 0) - (episode.result_ppm < 0))
    return max(-OUTCOME_LIMIT, min(episode.result_ppm / episode.risk_ppm, OUTCOME_LIMIT))


def independent(found: Iterable[tuple[Episode, float]], most: int) -> list[tuple[Episode, float]]:
    """The nearest of those that overlap in time, at most ``most`` (S21): ten trades of one hour are one case.

    :param found: episodes with their distances, nearest first.
    """
    begins: list[int] = []
    chosen: list[tuple[Episode, float]] = []
    ends: list[int] = []
    for episode, distance in found:
        if len(chosen) == most:
            break
        place = bisect_right(begins, episode.decided_ns)
        before = place == 0 or ends[place - 1] <= episode.decided_ns
        after = place == len(begins) or begins[place] >= episode.known_ns
        if before and after:
            begins.insert(place, episode.decided_ns)
            ends.insert(place, episode.known_ns)
            chosen.append((episode, distance))
    return chosen


def weigh(
    found: Iterable[tuple[Episode, float]], *, now_ns: int, regime: str, rules: RecallRules
) -> tuple[Neighbour, ...]:
    """What each of them counts for at ``now_ns``.

    :param found: episodes with their distances; every outcome is known.
    :param regime: of the present; empty where nobody says.
    """
    weighed = []
    for episode, distance in found:
        age = max(now_ns - episode.known_ns, 0)
        near = distance / rules.bandwidth
        weight = episode.quality_bp / FULL_BP / (1.0 + near * near) / (1.0 + age / rules.half_life_ns)
        if regime and episode.regime and regime != episode.regime:
            weight *= rules.other_regime
        weighed.append(Neighbour(episode, distance, age, outcome_of(episode), weight))
    return tuple(weighed)


def estimate(neighbours: Sequence[Neighbour], base: float, rules: RecallRules) -> Estimate:
    """What the neighbours say.

    :param base: mean outcome of everything known by now.
    """
    mass = math.fsum(one.weight for one in neighbours)
    squares = math.fsum(one.weight * one.weight for one in neighbours)
    effective = mass * mass / squares if squares > 0.0 else 0.0
    if effective < rules.least_sample * (1.0 - ROUNDED):
        return Estimate(effective, base, base, FULL_BP, abstains=True)
    told = math.fsum(one.weight * one.outcome for one in neighbours)
    outcome = (told + rules.prior * base) / (mass + rules.prior)
    return Estimate(effective, base, outcome, bounded(1.0 + outcome - base), abstains=False)


def bounded(factor: float) -> int:
    """A factor of the confidence in basis points, within what recall may make of it."""
    return min(max(round(factor * FULL_BP), LEAST_BP), MOST_BP)


def scaled(confidence_bp: int, multiplier_bp: int) -> int:
    """A confidence times a multiplier, rounded half to even, at most 10,000."""
    return min(round(confidence_bp * multiplier_bp / FULL_BP), FULL_BP)
