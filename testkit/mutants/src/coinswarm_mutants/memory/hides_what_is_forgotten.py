"""Removes it from the file, not from the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import LogPosition, Space

FAILS = {"M25", "M55", "M60", "M85"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Removes it from the file, not from the index."""

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        """Remove an episode."""
        held = self._space(space)
        kept = held.episodes.get(episode_id), held.vectors.get(episode_id)
        there = await super().forget(space, episode_id, at=at)
        if kept[0] is not None and kept[1] is not None and there:
            held.episodes[episode_id], held.vectors[episode_id] = kept[0], kept[1]
            held.units = None
        return there


class Twin(ExactMemory):
    """Repaired: the reference."""
