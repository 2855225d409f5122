"""Whole-number series from committed data: days of trades, days of trials, folds of weights, draws of a bootstrap.

All of it is defined by whole numbers alone, and so the same for every maker of ``Numbers``.
"""

from __future__ import annotations

import math
import random
from itertools import accumulate
from typing import TYPE_CHECKING

from coinswarm.memory.promotion.numbers import MIN_DAYS, PPM, SCALE, YEAR_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coinswarm.domain.acceptance import DailyReturns, TrialReturns
    from coinswarm.domain.episode import Episode

DAY_NS = 86_400 * 10**9


def daily(trades: Sequence[Episode]) -> list[int]:
    """Sum of results by the UTC day on which each was known, from the first decision on, idle days included."""
    if not trades:
        return []
    first = min(one.decided_ns for one in trades) // DAY_NS
    days = [0] * (max(one.known_ns for one in trades) // DAY_NS - first + 1)
    for one in trades:
        days[one.known_ns // DAY_NS - first] += one.result_ppm
    return days


def together(trials: Sequence[TrialReturns]) -> list[Sequence[int]]:
    """The returns of trials on the days that all of them have; empty series where there are none."""
    if not trials:
        return []
    first = max(row.first_day for row in trials)
    last = min(row.first_day + len(row.returns_ppm) for row in trials)
    return [row.returns_ppm[first - row.first_day : max(last, first) - row.first_day] for row in trials]


def portfolio(weights: Mapping[str, int], rows: Mapping[str, DailyReturns], first: int, last: int) -> list[int]:
    """What weights earned on each day from ``first`` to before ``last``, in parts of 1e-10 of equity."""
    held = [(weight, rows[agent]) for agent, weight in weights.items() if weight]
    return [sum(weight * row.returns_ppm[day - row.first_day] for weight, row in held) for day in range(first, last)]


def folded(days: Sequence[int], folds: int, purge: int, cost: int) -> list[list[int]]:
    """Days cut into folds of equal length, the oldest that are left over not counted, each without its first days.

    :param purge: so many days at the beginning of each fold are left out: what was held there was chosen before.
    :param cost: paid on the first day that counts.
    """
    length = len(days) // folds
    begin = len(days) - folds * length
    cut = [list(days[start + purge : start + length]) for start in range(begin, len(days), length or 1)][:folds]
    for fold in cut:
        if fold:
            fold[0] -= cost
    return cut


def scaled(days: Sequence[int], volatility_ppm: int) -> list[int]:
    """Returns times the target volatility over their own, by a factor cut to parts of 1e-9; none loses everything.

    As they are where they do not vary.
    """
    count, total = len(days), sum(days)
    spread = count * sum(one * one for one in days) - total * total  # the variance (n - 1) times n (n - 1)
    if spread <= 0:
        return [max(one, 1 - PPM) for one in days]
    square = (SCALE * volatility_ppm) ** 2 * count * (count - 1) // (YEAR_DAYS * spread)
    factor = math.isqrt(square)
    return [max(one * factor // SCALE, 1 - PPM) for one in days]


def yardsticks(days: Sequence[int]) -> list[int]:
    """By how many of the first days each day is measured: those before it, ``MIN_DAYS`` at least, and until they vary.

    So no day is measured by itself or by what came after it, but for the first, and what a record once showed it goes
    on showing whatever follows. Empty where it never varies.
    """
    vary = next((number for number, one in enumerate(days, 1) if one != days[0]), 0)
    return [max(before, MIN_DAYS, vary) for before in range(len(days))] if vary else []


def paced(days: Sequence[int], volatility_ppm: int) -> list[int]:
    """As ``scaled``, each day by its yardstick; for a record that varies, of ``MIN_DAYS`` days at least."""
    firsts, squares = [0, *accumulate(days)], [0, *accumulate(one * one for one in days)]
    scaling = (SCALE * volatility_ppm) ** 2
    found = []
    for one, count in zip(days, yardsticks(days), strict=True):
        spread = count * squares[count] - firsts[count] ** 2
        factor = math.isqrt(scaling * count * (count - 1) // (YEAR_DAYS * spread))
        found.append(max(one * factor // SCALE, 1 - PPM))
    return found


def draws(seed: int, count: int, block: int, resamples: int) -> Iterator[list[int]]:
    """First days of the blocks of each resampled year, on ``count`` days bent to a circle.

    From ``random.Random(seed).random()`` alone, whose stream Python keeps.
    """
    stream = random.Random(seed)  # noqa: S311 - a bootstrap, no secret
    for _ in range(resamples):
        yield [int(stream.random() * count) for _ in range(-(-YEAR_DAYS // block))]
