"""An entry point whose module writes a file."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P25"}
MODULES = ("entry.writing", "entry.light")


class Mutant(Honest):
    """An honest agent behind a module that writes."""


class Twin(Honest):
    """An honest agent behind a light module."""
