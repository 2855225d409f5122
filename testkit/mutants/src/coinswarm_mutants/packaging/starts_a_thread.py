"""An entry point whose module starts a thread."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P25"}
MODULES = ("entry.threaded", "entry.light")


class Mutant(Honest):
    """An honest agent behind a module that starts a thread."""


class Twin(Honest):
    """An honest agent behind a light module."""
