"""Numbers by whole numbers alone: central moments of sorted values, roots and series in units of 1e-140."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import accumulate, combinations
from math import isqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.promotion import numbers as given
from coinswarm.memory.promotion.numbers import Numbers
from coinswarm.memory.promotion.paths import draws, paced, scaled, yardsticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.domain.acceptance import AcceptanceRules
    from coinswarm.memory.promotion.numbers import Place, Series

_UNIT = 10**140
"""1. The alternating series of the normal distribution loses 56 digits at its far end."""
_TIE = _UNIT // 10**given.TIE_DIGITS
_FAR = 16 * _UNIT
_GAMMA: int = int(given.EULER_GAMMA.partition(".")[2]) * (_UNIT // 10 ** len(given.EULER_GAMMA.partition(".")[2]))
_NONE = "no Sharpe ratio: too few days, or none that varies"


class _Shape(NamedTuple):
    """Central moments of a series of n days, each times a power of n: whole numbers.

    :param mean: times n.
    :param second, third, fourth: sums of powers of ``n x - n mean``.
    """

    days: int
    mean: int
    second: int
    third: int
    fourth: int


class Integers(Numbers):
    """Moments about the mean, suffix minima, cross-multiplied comparisons, an alternating series."""

    def sharpe(self, days: Series, least_ppm: int) -> str:
        """The ratio in whole units."""
        shape = _shape(days)
        if not _varies(shape):
            return _NONE
        annual = _times_root(_ratio(shape), given.YEAR_DAYS)
        return _least(annual, _ppm(least_ppm), "the Sharpe ratio of a year")

    def psr(self, days: Series, least_ppm: int) -> str:
        """Φ of a ratio of whole units."""
        return _least_chance(_deviations(days, 0), _ppm(least_ppm), "the probability")

    def span(self, days: Series, level_ppm: int, variants: int) -> str:
        """MinTRL is where Φ of the record's deviations reaches the level; MinBTL, where they reach the luck."""
        shape = _shape(days)
        if not _varies(shape) or _spread(shape) <= _TIE:
            return _NONE
        ratio = _ratio(shape)
        if ratio <= 0:
            return "nothing is earned: no length would show otherwise"
        short = _least(_shown(shape, 0), _quantile(_ppm(level_ppm)), "for MinTRL its deviations from nothing")
        return short or _least(
            _times_root(ratio, shape.days), _expected_maximum(variants), "for MinBTL its deviations from nothing"
        )

    def overfit(self, trials: Sequence[Series], blocks: int, most_ppm: int) -> str:
        """Of each half's sums a part is looked up on either side of the middle; ratios are cross-multiplied."""
        if len(trials) == 1:
            return ""
        length = len(trials[0]) // blocks
        if not length:
            return f"{blocks} blocks do not fit into {len(trials[0])} days"
        cut = [list(trial)[len(trial) - blocks * length :] for trial in trials]
        pieces = [[row[at * length : (at + 1) * length] for row in cut] for at in range(blocks)]
        sums = _Split([[sum(piece) for piece in block] for block in pieces])
        squares = _Split([[sum(x * x for x in piece) for piece in block] for block in pieces])
        days = length * blocks // 2
        outcomes: Counter[bool] = Counter()
        for half in combinations(range(1, blocks), blocks // 2 - 1):  # with the first block; the rest has it not
            chosen = 1 + sum(1 << at for at in half)
            one, other = (_ratios(days, sums.of(each), squares.of(each)) for each in (chosen, chosen ^ sums.every))
            outcomes.update((_is_overfit(one, other), _is_overfit(other, one)))
        share = outcomes[True] * given.PPM, outcomes.total()
        if share[0] <= most_ppm * share[1]:
            return ""
        return f"the probability of overfitting is {share[0] // share[1]:,} ppm, above {most_ppm:,}"

    def discovery(self, days: Series, place: Place, fdr_ppm: int) -> str:
        """The level is summed in whole units, the newest discovery first."""
        found = _deviations(days, 0)
        if isinstance(found, str):
            return found
        past = sorted((one for one in place.discoveries if one < place.number), reverse=True)
        # The first test and the first discovery earn half of the rate, later ones all of it: halves, to stay whole.
        parts = [(place.number, 1), *((place.number - one, 2) for one in past[:-1])]
        parts += [(place.number - one, 1) for one in past[-1:]]
        looks = (place.looks + 1) * (place.looks + 2)
        half = _UNIT * fdr_ppm // (2 * given.PPM)
        wealth = sum(half * halves // (lag * (lag + 1) * looks) for lag, halves in parts if lag)
        missed = _normal(-found)
        return "" if missed <= wealth + _TIE else f"by chance with {_show(missed, 6)}, allowed are {_show(wealth, 6)}"

    def deflated(self, days: Series, trials: Sequence[Series], least_ppm: int) -> str:
        """The variance of the trials about their mean."""
        bar = 0
        if len(trials) > 1:
            shapes = [_shape(trial) for trial in trials]
            ratios = [_ratio(shape) if _varies(shape) else 0 for shape in shapes]
            count, total = len(ratios), sum(ratios)
            square = sum((count * one - total) ** 2 for one in ratios)  # n³ times the variance over n, in units²
            deviation = isqrt(square // (count * count * (count - 1)))
            bar = deviation * _expected_maximum(count) // _UNIT
        return _least_chance(_deviations(days, bar), _ppm(least_ppm), "the deflated probability")

    def drawdown(self, days: Series, rules: AcceptanceRules, seed: int) -> str:
        """Whole paths, each held against the lowest that is still to come."""
        block = rules.block_days
        if len(days) < 2 * block:
            return f"a record of {len(days)} days has no two blocks of {block}"
        known = scaled(days, rules.target_volatility_ppm)
        count = len(known)
        years = (
            [known[(start + step) % count] for start in starts for step in range(block)][: given.YEAR_DAYS]
            for starts in draws(seed, count, block, rules.resamples)
        )
        deep = sum(_deeper(_equity(year), rules.max_drawdown_ppm) for year in years)
        allowed = rules.max_drawdown_chance_ppm * rules.resamples // given.PPM
        return "" if deep <= allowed else f"{deep} resampled years fall too deep, {allowed} may"

    def decayed(self, days: Series, rules: AcceptanceRules) -> str:
        """The cumulative sum as partial sums over their lowest so far."""
        if len(days) < given.MIN_DAYS:
            return f"it has no record of {given.MIN_DAYS} days, but of {len(days)}"
        known = yardsticks(days)
        if not known:
            return "" if days[0] < 0 else "it does not lose"
        if _deeper(_equity(paced(days, rules.target_volatility_ppm)), rules.max_drawdown_ppm):
            return ""
        step = isqrt(_UNIT * _UNIT * rules.min_sharpe_ppm**2 // (given.PPM**2 * given.YEAR_DAYS))
        apart = _apart(days)
        sums = [0]
        for count, one in zip(known, days, strict=True):
            # 1 ÷ deviation² = n (n - 1) ÷ the squares of all differences
            slope = step * isqrt(_UNIT * _UNIT * count * (count - 1) // apart[count]) // _UNIT
            sums.append(sums[-1] + step * step // (2 * _UNIT) - slope * one)
        lowest = accumulate(sums, min)
        behind = max(now - low for now, low in zip(sums, lowest, strict=True))
        return _least(behind, _ppm(rules.cusum_ppm), "how far it is behind")

    def better(self, folds: Sequence[tuple[Series, Series]], rules: AcceptanceRules) -> str:
        """Gains about their mean."""
        pairs = [(_shape(old), _shape(new)) for old, new in folds]
        if not all(_varies(old) and _varies(new) for old, new in pairs):
            return "a fold has no Sharpe ratio"
        gains = [_times_root(_ratio(new) - _ratio(old), given.YEAR_DAYS) for old, new in pairs]
        count, total = len(gains), sum(gains)
        if total <= count * _TIE:
            return f"{_show(total // count)} is no gain in the Sharpe ratio of a year"
        square = sum((count * one - total) ** 2 for one in gains)
        error = isqrt(square // (count**3 * (count - 1)))  # of the mean
        lower = total // count - error * given.T_95[count - 2] // 10_000
        return _least(lower, -_ppm(rules.max_worse_ppm), "the least gain at 95 %")

    def deepest(self, days: Series) -> int:
        """The whole path, then its falls."""
        path = _equity(days)
        return max((peak - low) * given.PPM // peak for peak, low in zip(accumulate(path, max), path, strict=True))


def _ppm(value: int) -> int:
    return value * (_UNIT // given.PPM)


def _show(value: int, places: int = 4) -> str:
    """Units as a decimal, cut."""
    sign, whole = ("-" if value < 0 else ""), abs(value) * 10**places // _UNIT
    return f"{sign}{whole // 10**places}.{whole % 10**places:0{places}d}"


def _least(value: int, bound: int, what: str) -> str:
    return "" if value + _TIE >= bound else f"{what} is {_show(value)}, below {_show(bound)}"


def _least_chance(deviations: int | str, bound: int, what: str) -> str:
    return deviations if isinstance(deviations, str) else _least(_normal(deviations), bound, what)


def _shape(days: Series) -> _Shape:
    """Moments about the mean, equal values counted once."""
    count, total = len(days), sum(days)
    second = third = fourth = 0
    for value, times in sorted(Counter(days).items()):
        off = count * value - total
        square = off * off
        second += times * square
        third += times * square * off
        fourth += times * square * square
    return _Shape(count, total, second, third, fourth)


def _apart(days: Series) -> list[int]:
    """Number of first days -> the squares of the differences of any two of them, summed."""
    found, total, squares = [0], 0, 0
    for count, one in enumerate(days):
        found.append(found[-1] + count * one * one - 2 * one * total + squares)
        total, squares = total + one, squares + one * one
    return found


def _varies(shape: _Shape) -> bool:
    return shape.days > 1 and shape.second > 0


def _ratio(shape: _Shape) -> int:
    """SR = mean ÷ √(second ÷ n³ n ÷ (n - 1)), in units: SR² = mean² (n - 1) ÷ second."""
    root = isqrt(_UNIT * _UNIT * shape.mean**2 * (shape.days - 1) // shape.second)
    return root if shape.mean >= 0 else -root


def _times_root(value: int, square: int) -> int:
    """A value times a square root, rounded toward zero."""
    root = isqrt(value * value * square)
    return root if value >= 0 else -root


def _spread(shape: _Shape) -> int:
    """``1 + (kurtosis - 1) ÷ 4 SR² - skew SR``: two fractions, the second times √((n - 1) ÷ n)."""
    count, square = shape.days, shape.second**2
    # SR² = mean² (n - 1) ÷ second; kurtosis = fourth n ÷ second²; skew SR = third mean √(n (n - 1)) ÷ second²
    tails = _UNIT * (shape.fourth * count - square) * shape.mean**2 * (count - 1) // (4 * square * shape.second)
    lean = shape.third * shape.mean * isqrt(_UNIT * _UNIT * count * (count - 1)) // square
    return _UNIT + tails - lean


def _shown(shape: _Shape, bar: int) -> int:
    """By how many deviations the SR lies above a bar, in units."""
    spread, off = _spread(shape), _ratio(shape) - bar
    root = isqrt(off * off * (shape.days - 1) * _UNIT // spread)
    return root if off >= 0 else -root


def _deviations(days: Series, bar: int) -> int | str:
    """The same, or why there is no such number."""
    shape = _shape(days)
    if shape.days < given.MIN_DAYS:
        return f"{shape.days} days; fewer than {given.MIN_DAYS} say nothing"
    if not _varies(shape) or _spread(shape) <= _TIE:
        return _NONE
    return _shown(shape, bar)


class _Split:
    """Sums over any set of blocks, as two that are looked up: those of its blocks below the middle, and above.

    :param table: block -> a number per trial.
    """

    def __init__(self, table: Sequence[Sequence[int]]) -> None:
        self._low = len(table) // 2
        self.every = (1 << len(table)) - 1
        """The set of all blocks: bit n stands for block n."""
        self._below, self._above = self._all(table[: self._low]), self._all(table[self._low :])

    @staticmethod
    def _all(table: Sequence[Sequence[int]]) -> list[list[int]]:
        """Set -> its sums: each block doubles the sets, once without it and once with it."""
        sums = [[0] * len(table[0])]
        for block in table:
            sums += [[old + new for old, new in zip(known, block, strict=True)] for known in sums]
        return sums

    def of(self, blocks: int) -> map[int]:
        """The sums over a set of blocks, one per trial."""
        return map(int.__add__, self._below[blocks & (1 << self._low) - 1], self._above[blocks >> self._low])


def _ratios(days: int, sums: Iterable[int], squares: Iterable[int]) -> list[tuple[int, int]]:
    """SR |SR| of each trial, but for a factor that all have: above and below a line."""
    return [
        (one * abs(one), spread) if (spread := days * two - one * one) else (0, 1)
        for one, two in zip(sums, squares, strict=True)
    ]


def _is_overfit(inside: Sequence[tuple[int, int]], outside: Sequence[tuple[int, int]]) -> bool:
    """Whether the best trial of one half is among the worse of the other."""
    (top, under), (mine, mine_under) = inside[0], outside[0]
    for (one, below), (other, other_below) in zip(inside, outside, strict=True):
        more = one * under - top * below
        if more > 0 or (more == 0 and other * mine_under < mine * other_below):
            top, under, mine, mine_under = one, below, other, other_below
    rank = 1 + sum(one * mine_under < mine * below for one, below in outside)
    return 2 * rank <= len(outside) + 1


def _equity(days: Series) -> list[int]:
    """The path of equity, its start included."""
    return list(accumulate(days, lambda equity, one: equity * (given.PPM + one) // given.PPM, initial=given.START))


def _deeper(path: Sequence[int], limit_ppm: int) -> bool:
    """Whether from any point the lowest still to come lies too far below it."""
    lowest = path[-1]
    for equity in reversed(path):
        if equity < lowest:
            lowest = equity
        elif (equity - lowest) * given.PPM > limit_ppm * equity:
            return True
    return False


@lru_cache(maxsize=1)
def _two_pi() -> int:
    """2 π in units, by J. Machin's formula π ÷ 4 = 4 arctan ⅕ - arctan 1/239, with twenty digits to spare."""

    def arctan(inverse: int) -> int:
        total, power, place = 0, _UNIT * 10**20 // inverse, 0
        while power:
            total += (-1) ** place * power // (2 * place + 1)
            power //= inverse * inverse
            place += 1
        return total

    return 8 * (4 * arctan(5) - arctan(239)) // 10**20


def _normal(z: int) -> int:
    """Φ: ``½ + (z - z³ ÷ (2 3) + z⁵ ÷ (2² 2! 5) - …) ÷ √(2 π)``."""
    if abs(z) > _FAR:
        return _UNIT if z > 0 else 0
    square, power, total, place = z * z // _UNIT, z, z, 0
    while power not in {0, -1}:
        place += 1
        power = -power * square // (2 * place * _UNIT)
        total += power // (2 * place + 1)
    root: int = isqrt(_two_pi() * _UNIT)
    return _UNIT // 2 + total * _UNIT // root


@lru_cache(maxsize=256)
def _quantile(chance: int) -> int:
    """Φ⁻¹, by secants from two floats on both sides."""
    begin = int(NormalDist().inv_cdf(chance / _UNIT) * 10**17) * (_UNIT // 10**17)
    one, two = begin, begin + _UNIT // 10**9
    low, high = _normal(one) - chance, _normal(two) - chance
    while abs(two - one) > _TIE // 10**20 and high != low:
        one, two, low = two, two - high * (two - one) // (high - low), high
        high = _normal(two) - chance
    return two


@lru_cache(maxsize=256)
def _expected_maximum(trials: int) -> int:
    """What the best of so many trials without an edge shows, in deviations and in expectation."""
    if trials <= 1:
        return 0
    euler, term, place = 2 * _UNIT, _UNIT, 1
    while term:
        place += 1
        term //= place
        euler += term
    first, second = _quantile(_UNIT - _UNIT // trials), _quantile(_UNIT - _UNIT * _UNIT // (trials * euler))
    return ((_UNIT - _GAMMA) * first + _GAMMA * second) // _UNIT
