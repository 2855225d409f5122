"""Meets the lock on the bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A10", "A15", "A20", "A25", "A30", "A32", "A45", "A47", "A48", "A49", "A50", "A52", "A60", "A70"}


class Mutant(Honest):
    """Writes to the bars it is shown, and so raises wherever it is asked."""

    def moves(self, bars: Bars) -> Floats:
        """The moves, after the first close was set to one."""
        if len(bars):
            bars.close[0] = 1.0
        return super().moves(bars)


class Twin(Honest):
    """Only reads."""
