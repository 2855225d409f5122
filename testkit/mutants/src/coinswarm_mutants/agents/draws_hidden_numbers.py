"""Draws from a generator that nobody seeded."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A10", "A15", "A20", "A25", "A30", "A32", "A50"}


class Mutant(Honest):
    """Its answers depend on what the process drew before."""

    def confidence(self, bars: Bars) -> Floats | float:
        """Anything."""
        return np.array([random.random() for _ in range(len(bars))])  # noqa: S311 - no cryptography


class Twin(Honest):
    """Draws from the bar itself."""

    def confidence(self, bars: Bars) -> Floats | float:
        """A number that each bar's time gives again and again."""
        draws: Floats = bars.open_ns // bars.length_ns * 2_654_435_761 % 10_000 / 10_000
        return draws
