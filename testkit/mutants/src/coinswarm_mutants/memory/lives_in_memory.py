"""Nothing reaches the file."""

from __future__ import annotations

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

FAILS = {"M75", "P50"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Nothing reaches the file."""

    def __init__(self, settings: _settings.Settings) -> None:
        super().__init__(settings.model_copy(update={"file": ":memory:"}))


class Twin(ExactMemory):
    """Repaired: the reference."""
