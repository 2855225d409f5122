"""How sure a statistical check must be before it fails anybody.

A check that tests is wrong by chance once in ``1 / ALPHA`` times. One subject meets at most six tests (A82 one, A95
one, A97 four), and the grid of checks and mutants has at most 160 subjects: 6 x 160 x 1e-4 = 0.096 expected false
alarms, below 0.1. A84 adds nothing to speak of: the Sharpe ratio of an agent without an edge exceeds 3 over the two
years of the sample with probability 1.1e-5, before costs. The numbers were fixed before anything was measured.

Tests are one-sided Student tests over independent paths. After costs an agent without an edge earns less than nothing,
so that A82 is wrong even less often.
"""

from __future__ import annotations

import math
from functools import lru_cache

ALPHA = 1e-4
"""Error of one test."""

SHOWN = 1e-3
"""A claim of an edge counts as shown at this error: who claims must show; this is no alarm, and not counted above."""


@lru_cache(maxsize=64)
def student(error: float, freedom: int) -> float:
    """The t that a Student variable exceeds with probability ``error``.

    The tail is integrated in ``x = √freedom tan u``, where the density is ``cos(u)^(freedom - 1)`` up to a constant, by
    Simpson's rule, and inverted by bisection.

    :param error: below 0.5.
    :param freedom: degrees of freedom, at least 2.
    """
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)

    def tail(t: float) -> float:
        begin, end, steps = math.atan(t / math.sqrt(freedom)), math.pi / 2, 2_000
        width = (end - begin) / steps
        heights = [max(math.cos(begin + k * width), 0.0) ** (freedom - 1) for k in range(steps + 1)]
        weighted = heights[0] + heights[-1] + 4 * math.fsum(heights[1:-1:2]) + 2 * math.fsum(heights[2:-1:2])
        return scale * weighted * width / 3

    low, high = 0.0, 1e4
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > error else (low, middle)
    return high
