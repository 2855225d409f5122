"""An entry point whose module imports numpy."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P20"}
MODULES = ("entry.heavy", "entry.light")


class Mutant(Honest):
    """An honest agent behind a heavy module."""


class Twin(Honest):
    """An honest agent behind a light module."""
