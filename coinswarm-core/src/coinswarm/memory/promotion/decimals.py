"""Numbers by running sums: one pass of whole power sums, then decimals of 90 digits."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from itertools import repeat
from operator import add, sub
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.promotion import numbers as given
from coinswarm.memory.promotion.lord import level
from coinswarm.memory.promotion.numbers import Numbers
from coinswarm.memory.promotion.paths import draws, paced, scaled, yardsticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coinswarm.domain.acceptance import AcceptanceRules
    from coinswarm.memory.promotion.numbers import Place, Series

_CONTEXT = Context(prec=90)
_TIE = Decimal(10) ** -given.TIE_DIGITS
_FAR = 16
"""A normal variable lies beyond so many deviations with a probability below 1e-56."""
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620900")
_GAMMA = Decimal(given.EULER_GAMMA)
_HALF = Decimal("0.5")
_PPM = Decimal(given.PPM)
_YEAR = Decimal(given.YEAR_DAYS)
_STEPS = 6
"""Newton's steps double the digits of a float: four would do."""
_NONE = "its daily returns have no Sharpe ratio"


class _Sums(NamedTuple):
    """Power sums of a series: exact."""

    days: int
    first: int
    second: int
    third: int
    fourth: int


class Decimals(Numbers):
    """Moments about zero, running maxima, Taylor's series of the normal distribution with positive terms."""

    def sharpe(self, days: Series, least_ppm: int) -> str:
        """From the sums of values and of squares."""
        with localcontext(_CONTEXT):
            found = _sharpe(_sums(days))
            if found is None:
                return _NONE
            annual = found * _YEAR.sqrt()
            least = least_ppm / _PPM
            return "" if _reaches(annual, least) else f"{annual:.3f} a year, {least:.3f} is needed"

    def psr(self, days: Series, least_ppm: int) -> str:
        """From the first four power sums."""
        with localcontext(_CONTEXT):
            found = _probability(days, Decimal(0))
            if isinstance(found, str):
                return found
            return "" if _reaches(found, least_ppm / _PPM) else f"{found:.4f}, {least_ppm / _PPM:.4f} is needed"

    def span(self, days: Series, level_ppm: int, variants: int) -> str:
        """Both lengths, worked out."""
        with localcontext(_CONTEXT):
            sums = _sums(days)
            sharpe, spread = _sharpe(sums), _spread(sums)
            if sharpe is None or spread is None:
                return _NONE
            if sharpe <= 0:
                return "no record is long enough for a Sharpe ratio that is not above zero"
            sure = _quantile(level_ppm / _PPM)
            # In deviations, as all bounds are of the size of 1: n ≥ 1 + spread (Φ⁻¹ ÷ SR)² and n ≥ (E ÷ SR)².
            shown, luck = sharpe * ((sums.days - 1) / spread).sqrt(), sharpe * Decimal(sums.days).sqrt()
            if not _reaches(shown, sure):
                return f"{sums.days} days are fewer than the {1 + spread * (sure / sharpe) ** 2:.1f} of MinTRL"
            best = _expected_maximum(variants)
            if not _reaches(luck, best):
                return f"{sums.days} days are fewer than the {(best / sharpe) ** 2:.1f} of MinBTL"
            return ""

    def overfit(self, trials: Sequence[Series], blocks: int, most_ppm: int) -> str:
        """Running sums of the blocks; each half is looked at once, as the one that selects and as the other."""
        count = len(trials)
        length = len(trials[0]) // blocks
        if count == 1:
            return ""
        if length < 1:
            return f"{len(trials[0])} common days do not make {blocks} blocks"
        skip = len(trials[0]) - blocks * length
        table = [[_two(trial[at : at + length]) for trial in trials] for at in range(skip, len(trials[0]), length)]
        firsts, seconds = ([[one[power] for one in column] for column in table] for power in (0, 1))
        whole, squares = list(map(sum, zip(*firsts, strict=True))), list(map(sum, zip(*seconds, strict=True)))
        half, bad, splits = length * blocks // 2, 0, 0
        with localcontext(_CONTEXT):
            for one, two in _halves(firsts, seconds):
                here = list(map(_order, repeat(half), one, two))
                there = list(map(_order, repeat(half), map(sub, whole, one), map(sub, squares, two)))
                bad += _is_worse(here, there) + _is_worse(there, here)
                splits += 2
        good = bad * given.PPM <= most_ppm * splits
        return "" if good else f"overfit in {bad} of {splits} splits, {most_ppm / given.PPM:.0%} is the most"

    def discovery(self, days: Series, place: Place, fdr_ppm: int) -> str:
        """The level is a fraction."""
        with localcontext(_CONTEXT):
            found = _probability(days, Decimal(0))
            if isinstance(found, str):
                return found
            at = level(place, Fraction(fdr_ppm, given.PPM))
            most = Decimal(at.numerator) / at.denominator
            return "" if _reaches(most, 1 - found) else f"p is {1 - found:.3g}, its level {most:.3g}"

    def deflated(self, days: Series, trials: Sequence[Series], least_ppm: int) -> str:
        """The variance of the trials by its own running sums."""
        with localcontext(_CONTEXT):
            bar, count = Decimal(0), len(trials)
            if count > 1:
                found = [_sharpe(_sums(trial)) or Decimal(0) for trial in trials]
                total = sum(found, Decimal(0))
                variance = (sum((one * one for one in found), Decimal(0)) - total * total / count) / (count - 1)
                bar = max(variance, Decimal(0)).sqrt() * _expected_maximum(count)
            shown = _probability(days, bar)
            if isinstance(shown, str):
                return shown
            return "" if _reaches(shown, least_ppm / _PPM) else f"{shown:.4f}, {least_ppm / _PPM:.4f} is needed"

    def drawdown(self, days: Series, rules: AcceptanceRules, seed: int) -> str:
        """Each path as it grows, until it has fallen too far."""
        if len(days) < 2 * rules.block_days:
            return f"{len(days)} days are fewer than two blocks of {rules.block_days}"
        known = scaled(days, rules.target_volatility_ppm)
        doubled = [*known, *known[: rules.block_days]]
        deep = 0
        for starts in draws(seed, len(known), rules.block_days, rules.resamples):
            path = (one for start in starts for one in doubled[start : start + rules.block_days])
            deep += _falls(path, rules.max_drawdown_ppm, given.YEAR_DAYS)
        if deep * given.PPM <= rules.max_drawdown_chance_ppm * rules.resamples:
            return ""
        return f"{deep:,} of {rules.resamples:,} years fall by more than {rules.max_drawdown_ppm / given.PPM:.0%}"

    def decayed(self, days: Series, rules: AcceptanceRules) -> str:
        """Both as they grow."""
        if len(days) < given.MIN_DAYS:
            return f"{len(days)} days are fewer than {given.MIN_DAYS}"
        known = yardsticks(days)
        if not known:
            return "" if sum(days) < 0 else "it neither varies nor loses"
        if _falls(paced(days, rules.target_volatility_ppm), rules.max_drawdown_ppm, len(days)):
            return ""
        with localcontext(_CONTEXT):
            step = rules.min_sharpe_ppm / _PPM / _YEAR.sqrt()
            first = second = count = 0
            behind = highest = Decimal(0)
            for one, wanted in zip(days, known, strict=True):
                for more in days[count:wanted]:
                    first, second, count = first + more, second + more * more, count + 1
                deviation = (Decimal(count * second - first * first) / (count * (count - 1))).sqrt()
                behind = max(Decimal(0), behind + step * step / 2 - step / deviation * one)
                highest = max(highest, behind)
            if _reaches(highest, rules.cusum_ppm / _PPM):
                return ""
            return f"it is behind by {highest:.2f}, {rules.cusum_ppm / _PPM:.2f} is needed"

    def better(self, folds: Sequence[tuple[Series, Series]], rules: AcceptanceRules) -> str:
        """Running sums of the gains."""
        with localcontext(_CONTEXT):
            gains = []
            for old, new in folds:
                before, after = _sharpe(_sums(old)), _sharpe(_sums(new))
                if before is None or after is None:
                    return "daily returns of a fold have no Sharpe ratio"
                gains.append((after - before) * _YEAR.sqrt())
            count, total = len(gains), sum(gains, Decimal(0))
            mean = total / count
            variance = (sum((one * one for one in gains), Decimal(0)) - total * total / count) / (count - 1)
            lower = mean - given.T_95[count - 2] / Decimal(10_000) * (max(variance, Decimal(0)) / count).sqrt()
            if mean <= _TIE:
                return f"a Sharpe ratio of {mean:+.3f} a year is no gain"
            bound = -rules.max_worse_ppm / _PPM
            return "" if _reaches(lower, bound) else f"the gain may be {lower:+.3f} a year, {bound:.3f} is the least"

    def deepest(self, days: Series) -> int:
        """One pass."""
        equity = peak = given.START
        worst = 0
        for one in days:
            equity = equity * (given.PPM + one) // given.PPM
            peak = max(peak, equity)
            worst = max(worst, (peak - equity) * given.PPM // peak)
        return worst


def _reaches(value: Decimal, bound: Decimal) -> bool:
    return value >= bound - _TIE


def _two(days: Series) -> tuple[int, int]:
    return sum(days), sum(one * one for one in days)


def _sums(days: Series) -> _Sums:
    first = second = third = fourth = 0
    for one in days:
        square = one * one
        first += one
        second += square
        third += square * one
        fourth += square * square
    return _Sums(len(days), first, second, third, fourth)


def _sharpe(sums: _Sums) -> Decimal | None:
    """SR per day."""
    count, first = sums.days, sums.first
    spread = count * sums.second - first * first
    if count < 2 or spread <= 0:  # noqa: PLR2004 - a deviation needs two
        return None
    return first * (Decimal(count - 1) / (count * spread)).sqrt()


def _spread(sums: _Sums) -> Decimal | None:
    """``1 - skew SR + (kurtosis - 1) ÷ 4 SR²`` from moments about zero; None where it is not above zero."""
    sharpe = _sharpe(sums)
    if sharpe is None:
        return None
    one, two, three, four = (Decimal(power) / sums.days for power in sums[1:])
    second = two - one * one
    third = three - 3 * one * two + 2 * one**3
    fourth = four - 4 * one * three + 6 * one * one * two - 3 * one**4
    skew, kurtosis = third / (second * second.sqrt()), fourth / (second * second)
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe * sharpe
    return spread if spread > _TIE else None


def _probability(days: Series, bar: Decimal) -> Decimal | str:
    """PSR(bar), or why there is none."""
    sums = _sums(days)
    sharpe, spread = _sharpe(sums), _spread(sums)
    if sums.days < given.MIN_DAYS:
        return f"{sums.days} days are fewer than {given.MIN_DAYS}"
    if sharpe is None or spread is None:
        return _NONE
    return _normal((sharpe - bar) * ((sums.days - 1) / spread).sqrt())


def _order(count: int, first: int, second: int) -> Decimal:
    """Orders as the SR of equally many days does; 0 where they do not vary."""
    spread = count * second - first * first
    return Decimal(first * abs(first)) / spread if spread > 0 else Decimal(0)


def _halves(firsts: Sequence[list[int]], seconds: Sequence[list[int]]) -> Iterator[tuple[list[int], list[int]]]:
    """Sums of values and of squares, one per trial, over each half of the blocks in which the first block is.

    :param firsts, seconds: of each block, one per trial.
    """

    def grown(at: int, missing: int, one: list[int], two: list[int]) -> Iterator[tuple[list[int], list[int]]]:
        if not missing:
            yield one, two
            return
        for place in range(at, len(firsts) - missing + 1):
            yield from grown(
                place + 1, missing - 1, list(map(add, one, firsts[place])), list(map(add, two, seconds[place]))
            )

    return grown(1, len(firsts) // 2 - 1, firsts[0], seconds[0])


def _is_worse(here: Sequence[Decimal], there: Sequence[Decimal]) -> bool:
    """Whether the best of one half is among the worse of the other."""
    top = max(here)
    worst = min(value for value, mine in zip(there, here, strict=True) if mine == top)
    rank = 1 + sum(value < worst for value in there)
    return 2 * rank <= len(there) + 1


def _falls(path: Iterable[int], limit_ppm: int, length: int) -> bool:
    """Whether the first days of a path of returns fall by more than a limit from a peak."""
    equity = peak = given.START
    for _, one in zip(range(length), path, strict=False):
        equity = equity * (given.PPM + one) // given.PPM
        if equity > peak:
            peak = equity
        elif (peak - equity) * given.PPM > limit_ppm * peak:
            return True
    return False


def _normal(z: Decimal) -> Decimal:
    """Φ: ``½ + φ(z) (z + z³ ÷ 3 + z⁵ ÷ (3 5) + …)``, whose terms have one sign."""
    if abs(z) > _FAR:
        return Decimal(1 if z > 0 else 0)
    square, term, total, place = z * z, z, z, 1
    while abs(term) > _TIE * _TIE:
        place += 2
        term = term * square / place
        total += term
    return _HALF + total * (-square / 2).exp() / (2 * _PI).sqrt()


def _quantile(chance: Decimal) -> Decimal:
    """Φ⁻¹, by Newton's method from a float."""
    z = Decimal(NormalDist().inv_cdf(float(chance)))
    for _ in range(_STEPS):
        z -= (_normal(z) - chance) * (2 * _PI).sqrt() * (z * z / 2).exp()
    return z


@lru_cache(maxsize=256)
def _expected_maximum(trials: int) -> Decimal:
    """The SR, in deviations, that the best of so many trials without an edge is expected to show."""
    if trials <= 1:
        return Decimal(0)
    first, second = _quantile(1 - Decimal(1) / trials), _quantile(1 - 1 / (trials * Decimal(1).exp()))
    return (1 - _GAMMA) * first + _GAMMA * second
