"""Fails where there is no history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A45"}


class Mutant(Honest):
    """Reads the first bar without asking whether there is one."""

    def confidence(self, bars: Bars) -> Floats | float:
        """Half, if the first close is a price."""
        return 0.5 if bars.close[0] > 0 else 0.1


class Twin(Honest):
    """Asks for no bar."""
