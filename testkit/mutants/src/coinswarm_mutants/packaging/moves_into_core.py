"""A distribution that puts a file into coinswarm's own package."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P30"}
DISTRIBUTIONS = ("moves-in", "keeps-to-itself")


class Mutant(Honest):
    """An honest agent behind a distribution that reaches into another."""


class Twin(Honest):
    """An honest agent behind a distribution that keeps to itself."""
