"""Takes all returns for normal: neither skewness nor kurtosis counts."""

from __future__ import annotations

from statistics import fmean, stdev
from typing import TYPE_CHECKING

from coinswarm.memory.promotion.integers import Integers
from coinswarm.memory.promotion.judging import RuleVoter
from coinswarm.memory.promotion.voters import IntegerVoter

if TYPE_CHECKING:
    from coinswarm.memory.promotion.numbers import Series

FAILS = {"V40", "V45"}


def _plain(days: Series) -> list[int]:
    """As many days of about the same mean and deviation, without skewness, of kurtosis 1."""
    if len(days) < 2:
        return list(days)
    mean, deviation = fmean(days), stdev(days)
    return [round(mean + (deviation if place % 2 else -deviation)) for place in range(len(days))]


class _Normal(Integers):
    """The Sharpe ratio is all that is seen."""

    def psr(self, days: Series, least_ppm: int) -> str:
        """Of two values."""
        return super().psr(_plain(days), least_ppm)

    def span(self, days: Series, level_ppm: int, variants: int) -> str:
        """Of two values."""
        return super().span(_plain(days), level_ppm, variants)


class Mutant(RuleVoter):
    """Takes all returns for normal."""

    def __init__(self) -> None:
        super().__init__(_Normal())


class Twin(IntegerVoter):
    """Repaired: the reference."""
