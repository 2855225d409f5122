"""Claims an edge on a market that nobody can measure."""

from __future__ import annotations

from coinswarm_mutants.evidence._honest import DECLARED, Follows

TIER = "gold"
DECLARATION = {**DECLARED, "claims": ["edge:trending-upp"]}
TWIN_DECLARATION = {**DECLARED, "claims": ["edge:trending-up"]}

FAILS = {"A92"}


class Mutant(Follows):
    """Follows, and says edge:trending-upp."""


class Twin(Follows):
    """Follows, and says edge:trending-up."""
