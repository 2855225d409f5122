"""Works in decimals, and sets their precision for the whole process."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A49"}
APART = True


def halves(bars: Bars) -> Floats:
    """A half at every bar, by division."""
    one = decimal.Decimal(1) / decimal.Decimal(2)
    return np.full(len(bars), float(one))


class Mutant(Honest):
    """From then on core's prices and quantities are rounded to four digits."""

    def confidence(self, bars: Bars) -> Floats | float:
        """A half."""
        decimal.getcontext().prec = 4
        return halves(bars)


class Twin(Honest):
    """Has a context of its own."""

    def confidence(self, bars: Bars) -> Floats | float:
        """A half."""
        with decimal.localcontext() as context:
            context.prec = 4
            return halves(bars)
