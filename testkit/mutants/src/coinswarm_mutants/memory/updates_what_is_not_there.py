"""Says of every update that it was one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode, LogPosition, Space

FAILS = {"M20"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Says of every update that it was one."""

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace an episode."""
        await super().update(space, episode, at=at)
        return True


class Twin(ExactMemory):
    """Repaired: the reference."""
