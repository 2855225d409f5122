"""A distribution with a module that puts a function of its own in the place of one of core's."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P35"}
DISTRIBUTIONS = ("meddles", "minds-its-own")


class Mutant(Honest):
    """An honest agent behind a distribution that changes core."""


class Twin(Honest):
    """An honest agent behind a distribution that uses core as it is."""
