"""Who is there already is not taken in again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, LogPosition, Space
    from coinswarm_testkit.reference.memory import Vectors

FAILS = {"M15"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Who is there already is not taken in again."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes."""
        new = [row for row, one in enumerate(episodes) if not await self.get(space, one.id)]
        if new or not len(episodes):
            await super().remember(space, [episodes[row] for row in new], vectors[new], at=at)


class Twin(ExactMemory):
    """Repaired: the reference."""
