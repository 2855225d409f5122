"""Text hashes differ from process to process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A10"}


class Mutant(Honest):
    """Depends on the seed of the process's hashes."""

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """The hash of a word."""
        return abs(hash("coinswarm")) % 1_000 / 1_000


class Twin(Honest):
    """Hashes nothing."""
