"""Claims an edge where it has none."""

from __future__ import annotations

from coinswarm_mutants.evidence._honest import DECLARED, Follows

TIER = "gold"
DECLARATION = {**DECLARED, "claims": ["edge:mean-reversion"]}
TWIN_DECLARATION = {**DECLARED, "claims": ["edge:trending-up"]}

FAILS = {"A92"}


class Mutant(Follows):
    """Follows, and says edge:mean-reversion."""


class Twin(Follows):
    """Follows, and says edge:trending-up."""
