"""An entry point whose module counts to ten million."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P20"}
MODULES = ("entry.slow", "entry.light")


class Mutant(Honest):
    """An honest agent behind a slow module."""


class Twin(Honest):
    """An honest agent behind a light module."""
