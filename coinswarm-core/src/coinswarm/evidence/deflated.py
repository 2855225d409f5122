"""How believable a Sharpe ratio is: probabilistic and deflated Sharpe ratio, minimum track record (S22).

Everything here takes the *per-observation* Sharpe, never the annualised one: the formulas are not
linear in it, and an annualised value makes 730 days look like 730 years.

- PSR, MinTRL: D. H. Bailey and M. López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of
  Risk 15 (2012), 3-44, equations 11 and 13.
- DSR, expected maximum: the same, "The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest
  Overfitting, and Non-Normality", Journal of Portfolio Management 40 (2014), 94-107.

They take daily returns to be independent: autocorrelated returns are believed too easily. And they take as many draws
as there are days: two equal days of profit in a year of idle ones would have a PSR of 99.8 %, and every fourth pair of
days without an edge looks like that. So what is to be believed needs ``MIN_DAYS`` on which equity moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.evidence.estimate import too_few
from coinswarm.evidence.statistics import STILL

if TYPE_CHECKING:
    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

LEVEL = 0.95
"""Confidence that the minimum track record length asks for."""
MIN_DAYS = 20
"""With fewer days, or fewer on which equity moved, the normal approximation behind all of this says nothing."""
EULER_GAMMA = 0.5772156649015329

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Known:
    """A number, or the reason why there is none; never a NaN.

    :param value: None where it is not defined.
    :param why: why ``value`` is None; empty where it is there.
    """

    value: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Moments:
    """What the formulas need to know of a series of returns.

    :param sharpe: mean ÷ standard deviation (n - 1), per observation, rf = 0.
    :param skewness: third standardised moment of the population.
    :param kurtosis: fourth standardised moment of the population, *raw*: 3 for a normal distribution.
    :param count: observations.
    """

    sharpe: float
    skewness: float
    kurtosis: float
    count: int


def moments(returns: Floats) -> Moments | str:
    """Moments of daily returns, or the reason why they have none.

    :param returns: float64[n], idle days included.
    """
    n = len(returns)
    if n < MIN_DAYS:
        return too_few(n, "day", MIN_DAYS)
    if not np.isfinite(returns).all():
        return "a daily return is not a number"
    deviation = float(returns.std(ddof=1))
    if deviation <= STILL:
        return "daily returns do not vary"
    mean = float(returns.mean())
    z = (returns - mean) / float(returns.std())
    return Moments(mean / deviation, float((z**3).mean()), float((z**4).mean()), n)


def proving(returns: Floats) -> Moments | str:
    """Moments of daily returns that can prove something, or the reason why they cannot.

    :param returns: float64[n], idle days included.
    """
    found, moved = moments(returns), int((np.abs(returns) > STILL).sum())
    if isinstance(found, Moments) and moved < MIN_DAYS:
        return f"equity moved on {moved} of {found.count:,} days: too few (at least {MIN_DAYS})"
    return found


def _spread(found: Moments) -> float:
    """``1 - skew SR + (kurtosis - 1) ÷ 4 SR²``: the variance of the Sharpe estimate * (n - 1)."""
    return 1.0 - found.skewness * found.sharpe + (found.kurtosis - 1.0) / 4.0 * found.sharpe**2


_EXTREME = "skewness and kurtosis are too extreme for the normal approximation"


def probabilistic(found: Moments, benchmark: float = 0.0) -> Known:
    """PSR: the probability that the true Sharpe ratio exceeds ``benchmark``.

    ``Φ((SR - SR*) √(n - 1) ÷ √(1 - skew SR + (kurtosis - 1) ÷ 4 SR²))``.

    :param benchmark: per observation.
    """
    spread = _spread(found)
    if spread <= 0.0:
        return Known(why=_EXTREME)
    return Known(_NORMAL.cdf((found.sharpe - benchmark) * math.sqrt((found.count - 1) / spread)))


def minimum_track_record(found: Moments, benchmark: float = 0.0, level: float = LEVEL) -> Known:
    """MinTRL: so many observations like these are needed until ``PSR(benchmark) >= level``.

    ``1 + (1 - skew SR + (kurtosis - 1) ÷ 4 SR²) (Φ⁻¹(level) ÷ (SR - SR*))²``, rounded up.

    :param benchmark: per observation.
    :param level: above 0.5 and below 1.
    """
    if found.sharpe <= benchmark:
        bar = "zero" if benchmark == 0.0 else "what luck explains"
        return Known(why=f"the Sharpe ratio is not above {bar}: no length shows that it is")
    spread = _spread(found)
    if spread <= 0.0:
        return Known(why=_EXTREME)
    root = _NORMAL.inv_cdf(level) / (found.sharpe - benchmark)
    needed = spread * (root * root)  # a product overflows to infinity where a power raises
    if not math.isfinite(needed):
        return Known(why="longer than any number")
    return Known(float(math.ceil(needed) + 1))


def expected_maximum(variance: float, trials: int) -> float:
    """The Sharpe ratio that the best of ``trials`` independent trials without any edge is expected to show.

    ``√V ((1 - g) Φ⁻¹(1 - 1 ÷ N) + g Φ⁻¹(1 - 1 ÷ (N e)))`` with the Euler-Mascheroni constant g;
    one trial has nothing to choose from: 0.

    :param variance: of the trials' Sharpe ratios, per observation.
    :param trials: effective number, at least 1.
    """
    if trials <= 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - EULER_GAMMA) * first + EULER_GAMMA * second)


def deflated(found: Moments, variance: float, trials: int) -> Known:
    """DSR: the probability that the true Sharpe ratio exceeds zero, given that it was the best of several.

    PSR against ``expected_maximum(variance, trials)``.
    """
    return probabilistic(found, expected_maximum(variance, trials))
