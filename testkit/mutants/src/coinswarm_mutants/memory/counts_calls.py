"""A batch counts once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import MemoryStats

FAILS = {"M80"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """A batch counts once."""

    async def stats(self) -> MemoryStats:
        """What it did."""
        found = await super().stats()
        return replace(found, remembered=min(found.remembered, 1))


class Twin(ExactMemory):
    """Repaired: the reference."""
