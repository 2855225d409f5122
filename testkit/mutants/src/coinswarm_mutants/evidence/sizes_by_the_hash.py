"""Is as sure as the hash of a word, which differs from process to process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.evidence._honest import DECLARED, Follows

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars

TIER = "gold"
APART = True
DECLARATION = DECLARED

FAILS = {"A10", "A86"}


class Mutant(Follows):
    """Between 0.4 and 0.5."""

    def confidence(self, bars: Bars) -> float:  # noqa: ARG002 - the contract's form
        """By a hash."""
        return 0.4 + hash("coinswarm") % 1_000 / 10_000


class Twin(Follows):
    """0.5."""
