"""The two voters that core brings: one set of rules, two makers of numbers."""

from __future__ import annotations

from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.integers import Integers
from coinswarm.memory.promotion.judging import RuleVoter


class DecimalVoter(RuleVoter):
    """Running sums, in decimals of 90 digits."""

    def __init__(self) -> None:
        super().__init__(Decimals())


class IntegerVoter(RuleVoter):
    """Central moments of sorted values, in whole numbers."""

    def __init__(self) -> None:
        super().__init__(Integers())
