"""Decides by the wall clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A10", "A15", "A20", "A25", "A30", "A32", "A50"}


class Mutant(Honest):
    """Is surer at some moments of the day than at others."""

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """By the microsecond."""
        return time.time_ns() // 1_000 % 9_973 / 10_000


class Twin(Honest):
    """Knows the time by the bars."""

    def confidence(self, bars: Bars) -> Floats | float:
        """By the hour of the bar."""
        hours: Floats = bars.open_ns // bars.length_ns % 24 / 24
        return hours
