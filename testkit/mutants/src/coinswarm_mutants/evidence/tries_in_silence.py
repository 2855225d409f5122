"""Does not say how many variants were tried before it."""

from __future__ import annotations

from coinswarm_mutants.evidence._honest import DECLARED, Follows

TIER = "gold"
DECLARATION = {**DECLARED, "trials": 0}
TWIN_DECLARATION = {**DECLARED, "trials": 40}

FAILS = {"A80"}


class Mutant(Follows):
    """The best of nobody knows how many."""


class Twin(Follows):
    """The best of forty."""
