"""A record is long enough for the best of a thousand if it is for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.judging import RuleVoter
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.memory.promotion.numbers import Series

FAILS = {"V40"}


class _One(Decimals):
    """Without MinBTL."""

    def span(self, days: Series, level_ppm: int, variants: int) -> str:
        """As if nothing else had been tried."""
        del variants
        return super().span(days, level_ppm, 1)


class Mutant(RuleVoter):
    """A record is long enough for the best of a thousand if it is for one."""

    def __init__(self) -> None:
        super().__init__(_One())


class Twin(DecimalVoter):
    """Repaired: the reference."""
