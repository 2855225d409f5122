"""Claims to keep out of where it trades."""

from __future__ import annotations

from coinswarm_mutants.evidence._honest import DECLARED, Follows

TIER = "gold"
DECLARATION = {**DECLARED, "claims": ["abstains:range-bound"]}
TWIN_DECLARATION = {**DECLARED, "claims": ["edge:trending-down"]}

FAILS = {"A92"}


class Mutant(Follows):
    """Follows, and says abstains:range-bound."""


class Twin(Follows):
    """Follows, and says edge:trending-down."""
