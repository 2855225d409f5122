"""Does not know what a vector takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import MemoryInfo, Space

FAILS = {"M80"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Does not know what a vector takes."""

    async def info(self, space: Space) -> MemoryInfo:
        """What it holds."""
        found = await super().info(space)
        return replace(found, size_bytes=0)


class Twin(ExactMemory):
    """Repaired: the reference."""
