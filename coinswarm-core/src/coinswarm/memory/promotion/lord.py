"""At which level a pattern is tested, so that few of all that ever get capital got it by chance: LORD++.

A. Ramdas, F. Yang, M. Wainwright and M. Jordan, "Online Control of the False Discovery Rate with Decaying Memory",
NeurIPS 2017 (LORD++), with the level of a test fixed when it begins: T. Zrnic, A. Ramdas and M. Jordan, "Asynchronous
Online Testing of Multiple Hypotheses", JMLR 22 (2021). A test begins when its pattern comes into the shadow; of other
patterns it knows what had been decided by then. So the level is a fact of the log, the same for whoever asks, and no
two patterns that are judged at the same time spend the same wealth. Candidates spend none: what brought a pattern into
the shadow is older than the data that it is tested on.

Test t has the level ``g(t) w + (a - w) g(t - d1) + a (g(t - d2) + g(t - d3) + …)``: a the false discovery rate to keep,
w = a ÷ 2, d1, d2 … after how many tests had begun each discovery was made, and ``g(j) = 1 ÷ (j (j + 1))``, which sums
to 1 and is a fraction, so that levels are exact. Against the sequence of the paper it gives more to the first dozens
of patterns and less to those after hundreds.

A pattern is looked at more than once, since its record grows. When, is fixed beforehand (``rules.looked``): records
are public, and who proposes on the day on which his passes has looked every day. The looks share the level: look k gets
a ``1 ÷ (k (k + 1))`` of it, and all together no more than the whole. Proposed twice between two looks, a pattern is
judged on the same days, at the same level.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.memory.promotion.numbers import Place


def gamma(lag: int) -> Fraction:
    """How much of the wealth is spent so many tests after it was earned; 0 before it was."""
    return Fraction(1, lag * (lag + 1)) if lag > 0 else Fraction(0)


def level(place: Place, fdr: Fraction, spend: Callable[[int], Fraction] = gamma) -> Fraction:
    """The level at which the next look at a pattern is tested; 0 where no test has begun.

    :param fdr: the false discovery rate to keep.
    :param spend: another sequence g: not increasing, of sum 1 at most, 0 below 1.
    """
    earned = sorted(found for found in place.discoveries if found < place.number)
    total = spend(place.number) * fdr / 2
    for nth, found in enumerate(earned):
        total += spend(place.number - found) * (fdr if nth else fdr / 2)
    return total / ((place.looks + 1) * (place.looks + 2))
