"""Tidying up leaves the oldest part of the index out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import Space

FAILS = {"M85"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Tidying up leaves the oldest part of the index out."""

    async def optimize(self, space: Space) -> None:
        """Tidy up."""
        held = self._space(space)
        for id_ in sorted(held.episodes)[:50]:
            del held.episodes[id_], held.vectors[id_]
        held.units = None


class Twin(ExactMemory):
    """Repaired: the reference."""
