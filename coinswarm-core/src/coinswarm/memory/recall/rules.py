"""By which numbers a run recalls (``[memory]`` of a profile)."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_BP, FULL_BP, MOST_BP = 5_000, 10_000, 15_000
"""What recall may make of a confidence (S20)."""

LEAST_SAMPLE = 5.0
"""Fewer effective neighbours say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRules:
    """How neighbours are chosen and weighed.

    :param neighbours: how many are recalled at most, each of a time of its own.
    :param embargo_ns: an outcome counts from ``known_ns`` + embargo on (S21); at least a bar.
    :param bandwidth: cosine distance at which a neighbour counts half.
    :param half_life_ns: age at which it counts half.
    :param other_regime: what one of another regime counts, 0 to 1.
    :param prior: weight of the base rate, in neighbours.
    :param least_sample: below so many effective neighbours recall abstains; at least ``LEAST_SAMPLE``.
    """

    neighbours: int = 20
    embargo_ns: int = 0
    bandwidth: float = 0.1
    half_life_ns: int = 365 * 86_400_000_000_000
    other_regime: float = 0.5
    prior: float = 10.0
    least_sample: float = LEAST_SAMPLE
