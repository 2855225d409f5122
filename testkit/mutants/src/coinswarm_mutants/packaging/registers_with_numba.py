"""A distribution with an entry point that numba imports wherever it compiles."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P30"}
DISTRIBUTIONS = ("registers-itself", "keeps-to-itself")


class Mutant(Honest):
    """An honest agent behind a distribution that a library loads."""


class Twin(Honest):
    """An honest agent behind a distribution that keeps to itself."""
