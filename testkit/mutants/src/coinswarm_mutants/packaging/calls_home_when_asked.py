"""An entry point whose hook looks up a name."""

from __future__ import annotations

from coinswarm_mutants.agents._honest import Honest

FAILS = {"P25"}
MODULES = ("entry.asking", "entry.light")


class Mutant(Honest):
    """An honest agent behind a hook that opens a connection."""


class Twin(Honest):
    """An honest agent behind a light module."""
