"""Two makers of numbers answer alike, at the bound too; and both what other packages and plain arithmetic say."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm.domain.acceptance import AcceptanceRules
from coinswarm.evidence.deflated import Moments, deflated, expected_maximum, minimum_track_record, moments, probabilistic
from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.integers import Integers
from coinswarm.memory.promotion.numbers import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.memory.promotion.numbers import Numbers

MAKERS = (Decimals(), Integers())
REFERENCE = json.loads(
    (Path(__file__).parents[2] / "evidence" / "sharpe_reference.json").read_text(encoding="utf-8")
)
RULES = AcceptanceRules(resamples=40, block_days=5)
PPM = 10**6

values = st.integers(-50_000, 50_000)
series = st.lists(values, min_size=1, max_size=80)
long_series = st.lists(values, min_size=20, max_size=80)


def answers(method: str, *arguments: Any) -> list[bool]:
    """Whether each maker says that the bound is met; they must say the same."""
    found = [not getattr(maker, method)(*arguments) for maker in MAKERS]
    assert len(set(found)) == 1, (method, arguments)
    return found


def holds(method: str, *arguments: Any) -> bool:
    return answers(method, *arguments)[0]


def edge(test: Callable[[int], bool], low: int, high: int) -> int:
    """The highest bound that is met, where lower ones are met too."""
    assert test(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if test(middle) else (low, middle)
    return low


# ── alike ──


@given(series, st.integers(0, 5 * PPM))
def test_sharpe(days: list[int], least: int) -> None:
    holds("sharpe", days, least)


@given(long_series, st.integers(500_000, 999_999), st.integers(1, 1_000))
def test_psr_and_span(days: list[int], least: int, variants: int) -> None:
    believed, long_enough = holds("psr", days, least), holds("span", days, least, variants)
    # At a level above ½, PSR(0) reaches it exactly where the record is as long as MinTRL.
    assert holds("span", days, least, 1) == believed
    assert believed or not long_enough


@given(long_series, st.integers(1, 40), st.lists(st.integers(1, 40), max_size=6), st.integers(0, 5))
def test_discovery(days: list[int], number: int, discoveries: list[int], looks: int) -> None:
    holds("discovery", days, Place(number, tuple(discoveries), looks), 50_000)


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(values, min_size=24, max_size=24), min_size=n, max_size=n)))
def test_overfit_and_deflated(trials: list[list[int]]) -> None:
    for most in (0, 100_000, 200_000, 500_000, PPM):
        holds("overfit", trials, 4, most)
    holds("deflated", trials[0], trials, 950_000)


@given(st.lists(st.sampled_from([-3, 0, 1, 2]), min_size=12, max_size=12), st.integers(2, 5))
def test_overfit_where_many_are_equal(days: list[int], copies: int) -> None:
    """Copies, and copies of twice the size, are equally good: ties everywhere."""
    trials = [[one * (1 + place % 2) for one in days] for place in range(copies)]
    assert not holds("overfit", trials, 4, 999_999)  # the worst place among equals is overfit


@settings(max_examples=40)
@given(st.lists(values, min_size=10, max_size=60), st.integers(0, 2**64))
def test_drawdown(days: list[int], seed: int) -> None:
    holds("drawdown", days, RULES, seed)


@given(series)
def test_decayed_and_deepest(days: list[int]) -> None:
    holds("decayed", days, RULES)
    first, second = (maker.deepest(days) for maker in MAKERS)
    assert first == second


folds = st.lists(st.tuples(*[st.lists(values, min_size=4, max_size=8)] * 2), min_size=2, max_size=6)


@given(folds)
def test_better(cut: list[tuple[list[int], list[int]]]) -> None:
    holds("better", cut, RULES)


# ── at the bound ──


@settings(max_examples=60)
@given(long_series, st.integers(2, 6))
def test_the_bound_that_is_just_met_is_the_same(days: list[int], variants: int) -> None:
    """Bounds are found by halving, at each of which both must agree; so also one millionth above and below."""
    trials = [[(one * (7 + k) + k * k * 131) % 9_973 - 4_900 for one in range(len(days))] for k in range(variants)]
    for method, arguments, low, high in (
        ("sharpe", (), 0, 1_000 * PPM),
        ("psr", (), 1, PPM),
        ("deflated", (trials,), 1, PPM),
    ):
        if holds(method, days, *arguments, low):
            edge(lambda bound: holds(method, days, *arguments, bound), low, high)  # noqa: B023 - called at once


@pytest.mark.parametrize("scale", [1, 7, 999])
def test_a_sharpe_ratio_that_is_exactly_the_bound_is_met(scale: int) -> None:
    """Mean 1 and variance 365/4 over 731 days: the annual ratio is 2, exactly, though its parts are irrational."""
    half = [scale] * 365
    days = [scale, *(one + off for one, off in zip(half * 2, [19 * scale, -19 * scale] * 365, strict=True))]
    spread = Fraction(sum((one - scale) ** 2 for one in days), len(days) - 1)
    least = math.isqrt(int(365 * PPM**2 * scale**2 / spread))
    assert holds("sharpe", days, least)
    assert not holds("sharpe", days, least + 1)


def test_an_exact_ratio() -> None:
    """SR² = 1 ÷ 365 for mean 1, variance 365: the annual ratio is 1 to the last digit, and that is enough."""
    # n = 366 values 1 ± d with Σ off² = 365 · 365 = 133,225: 364 offs of ±19 are 131,404; two of ±√910.5 are none, so
    # 1,821 more come as ±30, ±30 (1,800) less 364 · … : found by search below instead.
    target = 365 * 365
    offs = [18] * 182 + [-18] * 182
    left = target - sum(one * one for one in offs)
    pairs: list[int] = []
    while left:
        one = math.isqrt(left // 2)
        assert one
        pairs += [one, -one]
        left -= 2 * one * one
        if left == 1:
            break
    days = [1 + one for one in offs + pairs]
    count, spread = len(days), sum((one - 1) ** 2 for one in days)
    # the bound, as a fraction: SR² 365 = 365 (n - 1) ÷ spread
    exact = Fraction(365 * (count - 1), spread)
    least = math.isqrt(int(exact * PPM * PPM))
    assert holds("sharpe", days, least)
    assert not holds("sharpe", days, least + 1)
