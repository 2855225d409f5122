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
from coinswarm.evidence.deflated import (
    deflated,
    expected_maximum,
    minimum_track_record,
    moments,
    probabilistic,
)
from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.integers import Integers
from coinswarm.memory.promotion.numbers import Place
from coinswarm_testkit.cases.case import bent

if TYPE_CHECKING:
    from collections.abc import Callable


MAKERS = (Decimals(), Integers())
OTHERS = json.loads(Path(__file__).with_name("promotion_reference.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((Path(__file__).parents[2] / "evidence" / "sharpe_reference.json").read_text(encoding="utf-8"))
RULES = AcceptanceRules(resamples=40, block_days=5)
PPM = 10**6

values = st.integers(-50_000, 50_000)


def tables(most: int, days: int) -> st.SearchStrategy[list[list[int]]]:
    """Up to so many trials of equal length."""
    row = st.lists(values, min_size=days, max_size=days)
    return st.lists(row, min_size=1, max_size=most)


series = st.lists(values, min_size=1, max_size=80)
long_series = st.lists(values, min_size=20, max_size=80)


def holds(method: str, *arguments: Any) -> bool:  # noqa: ANN401 - those of the method
    """Whether the bound is met: every maker must say the same."""
    found = {not getattr(maker, method)(*arguments) for maker in MAKERS}
    assert len(found) == 1, (method, arguments)
    return found.pop()


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


@given(
    st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(values, min_size=24, max_size=24), min_size=n, max_size=n))
)
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


def test_a_ratio_that_is_exactly_the_bound_is_met() -> None:
    """Mean 1, and squares about it that sum to 365 · 366 over 367 days: an annual ratio of exactly 1.

    Both roots on the way to it, of the variance and of 365, are irrational.
    """
    offs = [258, 14, 5, 3, 1]
    assert 2 * sum(one * one for one in offs) == 365 * 366
    days = [1] * (367 - 10) + [1 + one for one in offs] + [1 - one for one in offs]
    assert holds("sharpe", days, PPM)
    assert not holds("sharpe", days, PPM + 1)


def test_a_share_that_is_exactly_the_bound_is_met() -> None:
    """Of six splits of four blocks, two are overfit: a third."""
    good, bad = [3, 1, 3, 1, 3, 1, 3, 1], [1, 0, 1, 0, 9, 8, 1, 0]
    share = pbo([good, bad], 4)
    for most in range(0, PPM, 50_000):
        assert holds("overfit", [good, bad], 4, most) == (share * PPM <= most)
    assert holds("overfit", [good, bad], 4, math.ceil(share * PPM))
    assert not holds("overfit", [good, bad], 4, math.ceil(share * PPM) - 1)


# ── against others ──


@pytest.mark.parametrize("name", sorted(REFERENCE["series"]))
def test_psr_is_that_of_skfolio(name: str) -> None:
    theirs = REFERENCE["series"][name]
    days = [round(one * PPM) for one in theirs["returns"]]
    psr = theirs["skfolio"]["psr"][REFERENCE["benchmarks"].index(0.0)]
    least = edge(lambda bound: holds("psr", days, bound), 0, PPM + 1)
    assert least == math.floor(psr * PPM)


@given(long_series)
def test_the_bounds_are_those_of_the_reports(days: list[int]) -> None:
    """``evidence.deflated`` works in floats of numpy: the same formulas, another program."""
    found = moments(np.array(days) / PPM)
    if isinstance(found, str) or (psr := probabilistic(found).value) is None:
        assert not holds("psr", days, 1) or max(days) - min(days) < 3
        return
    for off in (-20, 20):
        least = min(max(round(psr * PPM) + off, 0), PPM)
        if abs(psr * PPM - least) > 1:
            assert holds("psr", days, least) == (psr * PPM > least)
    needed = minimum_track_record(found, level=0.95).value
    if needed is not None and needed != len(days):
        assert holds("span", days, 950_000, 1) == (needed < len(days))


@pytest.mark.parametrize("trials", [2, 3, 10, 50, 1_000])
def test_min_btl_is_where_luck_ends(trials: int) -> None:
    """A record just as long as the luck of so many trials, by the reports' own expected maximum."""
    luck = expected_maximum(1.0, trials)
    for count in (100, 400, 1_600):
        # 500 ± d: a ratio of 500 ÷ (d √(n ÷ (n - 1))) a day
        for factor, long_enough in ((1.001, True), (0.999, False)):
            width = round(500_000 / (luck * factor / math.sqrt(count)) / math.sqrt(count / (count - 1)))
            days = [500_000 + width, 500_000 - width] * (count // 2)
            assert holds("span", days, 500_001, trials) == long_enough, (count, factor)


@settings(max_examples=30)
@given(st.lists(st.lists(values, min_size=60, max_size=60), min_size=2, max_size=8))
def test_dsr_is_that_of_the_reports(rows: list[list[int]]) -> None:
    sharpes = [0.0 if isinstance(one := moments(np.array(row) / PPM), str) else one.sharpe for row in rows]
    found = moments(np.array(rows[0]) / PPM)
    if isinstance(found, str):
        return
    dsr = deflated(found, float(np.var(sharpes, ddof=1)), len(rows)).value
    assert dsr is not None
    for off in (-20, 20):
        least = min(max(round(dsr * PPM) + off, 0), PPM)
        if abs(dsr * PPM - least) > 1:
            assert holds("deflated", rows[0], rows, least) == (dsr * PPM > least)


def pbo(trials: list[list[int]], blocks: int) -> Fraction:
    """By the book, split by split, in fractions; of one trial nothing is chosen."""
    if len(trials) == 1:
        return Fraction(0)
    length = len(trials[0]) // blocks
    cut = [row[len(row) - blocks * length :] for row in trials]

    def ratio(row: list[int], chosen: tuple[int, ...]) -> Fraction:
        days = [one for at in chosen for one in row[at * length : (at + 1) * length]]
        mean = Fraction(sum(days), len(days))
        variance = sum((one - mean) ** 2 for one in days)
        return mean * abs(mean) / variance if variance else Fraction(0)

    bad = 0
    splits = list(combinations(range(blocks), blocks // 2))
    for inside in splits:
        outside = tuple(at for at in range(blocks) if at not in inside)
        here, there = [ratio(row, inside) for row in cut], [ratio(row, outside) for row in cut]
        ranks = [1 + sum(other < there[at] for other in there) for at, one in enumerate(here) if one == max(here)]
        bad += Fraction(min(ranks), len(cut) + 1) <= Fraction(1, 2)
    return Fraction(bad, len(splits))


@settings(max_examples=40)
@given(tables(5, 19))
def test_pbo_is_that_of_the_book(trials: list[list[int]]) -> None:
    share = pbo(trials, 6) * PPM
    assert holds("overfit", trials, 6, math.ceil(share))
    assert share == 0 or not holds("overfit", trials, 6, math.ceil(share) - 1)


@settings(max_examples=20)
@given(tables(4, 17), st.sampled_from([2, 4, 8]))
def test_pbo_is_that_of_the_book_whatever_the_blocks(trials: list[list[int]], blocks: int) -> None:
    share = pbo(trials, blocks) * PPM
    assert holds("overfit", trials, blocks, math.ceil(share))
    assert share == 0 or not holds("overfit", trials, blocks, math.ceil(share) - 1)


@pytest.mark.parametrize("case", OTHERS["pbo"], ids=lambda case: f"{len(case['returns'])}-{case['blocks']}")
def test_pbo_is_that_of_purgedcv(case: dict[str, Any]) -> None:
    share = Fraction(case["overfit"], case["splits"]) * PPM
    assert holds("overfit", case["returns"], case["blocks"], math.ceil(share))
    assert share == 0 or not holds("overfit", case["returns"], case["blocks"], math.ceil(share) - 1)


@pytest.mark.parametrize("case", OTHERS["min_btl_years"], ids=lambda case: f"{case['trials']}-{case['sharpe']}")
def test_min_btl_is_that_of_purgedcv(case: dict[str, Any]) -> None:
    """Days of the annual ratio, a little more and a little fewer than its years."""
    for pairs in (math.ceil(case["years"] * 184.5) + 1, math.floor(case["years"] * 180.5) - 1):
        count = 2 * pairs
        if count < 40:
            continue  # too short to be bent to a ratio
        width = round(10**7 * math.sqrt(365 * (count - 1) / count) / case["sharpe"])
        days = [10**7 + width, 10**7 - width] * pairs
        shown = "MinBTL" in Decimals().span(days, 500_001, case["trials"])
        assert shown == (count < case["years"] * 365)
        assert shown == ("MinBTL" in Integers().span(days, 500_001, case["trials"]))


# ── what must hold ──


@given(long_series, st.integers(2, 50))
def test_returns_of_another_size_are_judged_alike(days: list[int], factor: int) -> None:
    larger = [one * factor for one in days]
    assert holds("sharpe", larger, PPM) == holds("sharpe", days, PPM)
    assert holds("psr", larger, 950_000) == holds("psr", days, 950_000)


@given(st.lists(values, min_size=30, max_size=60), st.permutations(range(30)))
def test_the_order_of_days_is_nothing_to_a_ratio(days: list[int], order: list[int]) -> None:
    mixed = [days[at] for at in order] + days[30:]
    assert holds("psr", mixed, 950_000) == holds("psr", days, 950_000)


@given(long_series)
def test_looks_and_company_only_make_it_harder(days: list[int]) -> None:
    last = True
    for looks in range(6):
        now = holds("discovery", days, Place(2, (), looks), 50_000)
        assert last or not now
        last = now
    assert not holds("discovery", days, Place(0, (), 0), 50_000) or not holds("psr", days, 999_999)


def test_what_never_varies_has_no_ratio() -> None:
    for days in ([5] * 40, [0] * 40, [5]):
        for method, arguments in (("sharpe", (0,)), ("psr", (1,)), ("span", (900_000, 1)), ("deflated", ([days], 1))):
            assert not holds(method, days, *arguments)
        assert not holds("discovery", days, Place(1, (), 0), 999_999)
    assert holds("decayed", [-5] * 40, RULES)
    assert not holds("decayed", [5] * 40, RULES)


@given(st.lists(values, min_size=20, max_size=60), st.lists(st.integers(-2_000_000, 0), max_size=4))
def test_no_loss_takes_a_demotion_away(days: list[int], losses: list[int]) -> None:
    """A day is measured by the days before it: a crash that made its own yardstick longer would hide itself."""
    if holds("decayed", days, AcceptanceRules()):
        assert holds("decayed", [*days, *losses], AcceptanceRules())


@pytest.mark.parametrize("loss", [-400_000, -990_000, -5_000_000])
def test_one_day_on_which_much_or_all_is_lost_is_enough(loss: int) -> None:
    ordinary = bent(np.random.default_rng(3), 400, 1_500, 10_000)
    assert not holds("decayed", ordinary, AcceptanceRules())
    assert holds("decayed", [*ordinary, loss], AcceptanceRules())


def test_a_record_of_a_few_days_has_not_decayed() -> None:
    days = [-1_000 - place for place in range(20)]
    assert not holds("decayed", days[:19], AcceptanceRules())
    assert holds("decayed", days, AcceptanceRules())


def test_a_few_days_say_nothing() -> None:
    days = [10, 30] * 9
    assert holds("sharpe", days, PPM)
    assert not holds("psr", days, 500_001)
    assert holds("psr", [*days, 10, 30], 500_001)
