"""What rules ask of a series of whole numbers, answered in yes or no with a reason: one contract, several makers.

**The rounding.** Series are whole millionths. Every answer compares one number with one bound, both of the size of 1,
and is about the number that the formula has in exact arithmetic: it is worked out with an error below 1e-45, and a
number that misses its bound by less than ``10 ** -TIE_DIGITS`` has reached it. So two makers answer alike to the
letter, at the bound too, on any machine: floats, libraries and orders of addition have no say. Only a number that
misses its bound by 1e-30 to within 1e-45 could part them.

SR is the mean divided by the standard deviation (n - 1), per day; skewness and kurtosis (raw) are of the population. A
series has no SR where it has fewer than two days or does not vary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.acceptance import AcceptanceRules

    Series = Sequence[int]

TIE_DIGITS = 30
"""A number that misses its bound by less than 10 to the power of minus this has reached it."""

PPM = 1_000_000
YEAR_DAYS = 365

MIN_DAYS = 20
"""With fewer days the normal approximation behind PSR, DSR and MinTRL says nothing."""

EULER_GAMMA = "0.577215664901532860606512090082402431042159335939923598805767"
"""To 60 digits."""

START = 10**12
"""Equity at the beginning of a path of daily returns; it is cut to whole numbers each day."""

SCALE = 10**9
"""Returns are scaled to the target volatility by a whole number of these parts."""

T_95 = (
    63_138, 29_200, 23_534, 21_318, 20_150, 19_432, 18_946, 18_595, 18_331, 18_125,
    17_959, 17_823, 17_709, 17_613, 17_531, 17_459, 17_396, 17_341, 17_291,
)  # fmt: skip
"""95 % quantiles of Student's t with 1, 2 … 19 degrees of freedom, in ten-thousandths."""


class Place(NamedTuple):
    """Where the test of a pattern stands among all that there ever were; each begins when one comes into the shadow.

    :param number: which it is, from 1; 0 where none has begun.
    :param discoveries: after how many tests had begun each discovery was made.
    :param looks: how many there were before this one.
    """

    number: int
    discoveries: tuple[int, ...]
    looks: int


class Numbers(ABC):
    """The statistics behind the rules. Each answer is empty where the bound is met, and otherwise says why not.

    Answers are functions of their arguments alone, and do not depend on the order of trials.
    """

    @abstractmethod
    def sharpe(self, days: Series, least_ppm: int) -> str:
        """SR √365 ≥ ``least_ppm``."""

    @abstractmethod
    def psr(self, days: Series, least_ppm: int) -> str:
        """PSR(0) ≥ ``least_ppm``, with at least ``MIN_DAYS`` days.

        ``Φ((SR - b) √(n - 1) ÷ √(1 - skew SR + (kurtosis - 1) ÷ 4 SR²))`` with b = 0: D. H. Bailey and M. López de
        Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15 (2012), equation 11.
        """

    @abstractmethod
    def span(self, days: Series, level_ppm: int, variants: int) -> str:
        """The record has at least MinTRL days, and MinBTL days.

        MinTRL (the same, equation 13): ``n ≥ 1 + (1 - skew SR + (kurtosis - 1) ÷ 4 SR²) (Φ⁻¹(level) ÷ SR)²``, SR > 0.

        MinBTL: ``SR √n ≥ E(variants)``, the maximum that so many variants without an edge are expected to show:
        D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu, "Pseudo-Mathematics and Financial Charlatanism",
        Notices of the AMS 61 (2014), 458-471, theorem 1 and equation 6, in days. ``E(N) = (1 - g) Φ⁻¹(1 - 1 ÷ N) +
        g Φ⁻¹(1 - 1 ÷ (N e))`` with the Euler-Mascheroni constant g; E(1) = 0.
        """

    @abstractmethod
    def overfit(self, trials: Sequence[Series], blocks: int, most_ppm: int) -> str:
        """PBO ≤ ``most_ppm``, by combinatorially symmetric cross-validation.

        D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu, "The Probability of Backtest Overfitting", Journal
        of Computational Finance 20 (2017), 39-69. Days are cut into ``blocks`` of equal length, the oldest that are
        left over not counted. For each half of the blocks: the trial with the highest SR there, and its rank r among
        the N trials in the other half; the split is overfit where r ÷ (N + 1) ≤ ½. A trial that does not vary has the
        SR 0. Ties are taken at their worst: of several best, the one that does worst; of several equal ranks, the
        lowest. PBO is the share of overfit splits.

        :param trials: at least one, of equal length; of one nothing was chosen, and its PBO is 0.
        """

    @abstractmethod
    def discovery(self, days: Series, place: Place, fdr_ppm: int) -> str:
        """1 - PSR(0) ≤ the level that LORD++ leaves for this look (``lord``), with at least ``MIN_DAYS`` days."""

    @abstractmethod
    def deflated(self, days: Series, trials: Sequence[Series], least_ppm: int) -> str:
        """DSR ≥ ``least_ppm``: PSR against ``√V E(N)``, V the variance (n - 1) of the SR of the N trials.

        D. H. Bailey and M. López de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40 (2014),
        94-107. All trials count as independent, which errs downwards. A trial that does not vary has the SR 0.

        :param trials: at least one; of one nothing was chosen: it is deflated by nothing.
        """

    @abstractmethod
    def drawdown(self, days: Series, rules: AcceptanceRules, seed: int) -> str:
        """At most ``max_drawdown_chance_ppm`` of resampled years fall by more than ``max_drawdown_ppm`` from a peak.

        Circular block bootstrap (D. N. Politis and J. P. Romano, 1992): ``resamples`` paths of 365 days, each from
        blocks of ``block_days`` days whose first days are ``draws(seed, …)``, of returns ``scaled`` to
        ``target_volatility_ppm``. A path starts at ``START`` and is cut to a whole number each day.
        """

    @abstractmethod
    def decayed(self, days: Series, rules: AcceptanceRules) -> str:
        """The record does worse than was demanded: by its drawdown, or by a cumulative sum.

        Either the path of its returns, ``paced``, falls by more than ``max_drawdown_ppm``; or the sum
        ``max(0, S + s (s ÷ 2 - x ÷ deviation))`` over its days reaches ``cusum_ppm``: E. S. Page, "Continuous
        Inspection Schemes", Biometrika 41 (1954), on the log-likelihood ratio of an SR of 0 against s, the demanded SR
        per day. The deviation is that of the days before each day (``paths.yardsticks``): a crash that were part of its
        own yardstick could not be told from an ordinary day. A record that does not vary has decayed where it lost;
        one of fewer than ``MIN_DAYS`` days shows nothing.
        """

    @abstractmethod
    def better(self, folds: Sequence[tuple[Series, Series]], rules: AcceptanceRules) -> str:
        """Over folds of days, old weights and new: the mean gain in SR √365 is above 0, its bound not below -δ.

        The bound is ``mean - t deviation ÷ √K`` over the K folds, t the 95 % quantile of Student's t with K - 1
        degrees of freedom, δ ``max_worse_ppm``.
        """

    @abstractmethod
    def deepest(self, days: Series) -> int:
        """The deepest fall from an earlier peak, in millionths of the peak, cut to a whole number.

        :param days: returns, each above -1,000,000.
        """
