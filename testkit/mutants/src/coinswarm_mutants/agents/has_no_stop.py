"""Wants positions and never says where they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A52"}


class Mutant(Honest):
    """No stop at all."""

    def stops(self, bars: Bars, move: Floats) -> Floats | float:  # noqa: ARG002 - the contract's form
        """Nowhere."""
        return 0.0


class Twin(Honest):
    """Gives up after the same move again."""
