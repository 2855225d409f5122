"""Claims an edge that is there before costs and gone after them."""

from __future__ import annotations

from coinswarm_mutants.evidence._honest import DECLARED, Fades

TIER = "gold"
DECLARATION = {**DECLARED, "claims": ["edge:range-bound"]}

FAILS = {"A92"}


class Mutant(Fades):
    """Trades for four tenths of a percent."""

    reach = 0.004


class Twin(Fades):
    """Waits for two percent."""
