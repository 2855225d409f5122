"""Chance passes for skill as seldom as the rules say, and skill is found; by fixed draws, so that no run differs.

``benchmarks/zero_edge_patterns.py`` has whole patterns go through all stages, 20,000 of them.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.lord import level
from coinswarm.memory.promotion.numbers import Place

FDR = Fraction(1, 20)
SURE = 3.72
"""Standard deviations that chance passes once in 10,000 times."""


def drawn(seed: int, count: int, days: int, sharpe: float = 0.0) -> list[list[int]]:
    """Daily results with fat tails, in millionths."""
    noise = np.random.default_rng(seed).standard_t(5, (count, days)) / (5 / 3) ** 0.5
    rows: list[list[int]] = np.rint(10_000 * (noise + sharpe / 365**0.5)).astype(int).tolist()
    return rows


def share(rows: list[list[int]], least_ppm: int) -> float:
    maker = Decimals()
    return sum(not maker.psr(row, least_ppm) for row in rows) / len(rows)


def test_psr_errs_as_often_as_it_says() -> None:
    rows, error = drawn(1, 500, 365), 0.05
    assert abs(share(rows, 950_000) - error) <= SURE * math.sqrt(error * (1 - error) / len(rows))


def test_an_annual_ratio_of_three_is_found_within_two_years() -> None:
    """At the level of the third test of a stream, after one year's look: what the page calls its power."""
    rows, place = drawn(2, 150, 730, 3.0), Place(3, (), 1)
    found = sum(not Decimals().discovery(row, place, 50_000) for row in rows) / len(rows)
    assert found > 0.7


def test_false_discoveries_are_rare_in_streams_without_an_edge() -> None:
    """There every discovery is false, and their rate is the share of streams that have one."""
    chances, streams, tests = np.random.default_rng(3), 1_500, 25
    bare = [level(Place(number, (), look), FDR) for number in range(1, tests + 1) for look in range(2)]
    drawn_ = chances.random((streams, len(bare)))
    false = int((drawn_ <= np.array([float(one) for one in bare])).any(axis=1).sum())
    assert false / streams <= 0.05 + SURE * math.sqrt(0.05 * 0.95 / streams)


def test_false_discoveries_are_few_where_there_are_true_ones() -> None:
    """One test in three has an edge; of what is discovered, at most one in twenty has none, in expectation."""
    rng, shares = np.random.default_rng(4), list[float]()
    for _ in range(150):
        past: list[int] = []
        false = 0
        for number in range(1, 31):
            edge = number % 3 == 0
            chance = 0.5 * math.erfc((rng.standard_normal() + 4.0 * edge) / math.sqrt(2))
            if chance <= level(Place(number, tuple(past), 0), FDR):
                past.append(number)
                false += not edge
        shares.append(false / max(len(past), 1))
    assert float(np.mean(shares)) <= 0.05
