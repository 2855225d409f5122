"""Needs data that somebody sells, and does not say for how much."""

from __future__ import annotations

from coinswarm_mutants.evidence._honest import DECLARED, Follows

TIER = "gold"
DECLARATION = {**DECLARED, "needs": ["sentiment"]}
TWIN_DECLARATION = {**DECLARATION, "data_cost": 449.0}

FAILS = {"A72"}


class Mutant(Follows):
    """Needs sentiment."""


class Twin(Follows):
    """The same, for a price."""
