"""Confidence beyond one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A45"}


class Mutant(Honest):
    """Two hundred per cent."""

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """Too much."""
        return 2.0


class Twin(Honest):
    """Half sure."""
