"""An update loses the vector for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode, LogPosition, Space

FAILS = {"M20", "M70"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """An update loses the vector for another."""

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace an episode."""
        there = await super().update(space, episode, at=at)
        if there:
            held = self._space(space)
            held.vectors[episode.id] = -held.vectors[episode.id]
            held.units = None
        return there


class Twin(ExactMemory):
    """Repaired: the reference."""
