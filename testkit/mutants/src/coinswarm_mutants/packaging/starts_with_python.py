"""A distribution with a .pth file, which every Python process runs."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P30"}
DISTRIBUTIONS = ("runs-by-itself", "keeps-to-itself")


class Mutant(Honest):
    """An honest agent behind a distribution that runs by itself."""


class Twin(Honest):
    """An honest agent behind a distribution that keeps to itself."""
