"""Reads, gives way, and writes what it read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, LogPosition, Space
    from coinswarm_testkit.reference.memory import Vectors

FAILS = {"M60"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Reads, gives way, and writes what it read."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes."""
        if at is not None:
            await super().remember(space, episodes, vectors, at=at)
            return
        before = dict(self._space(space).episodes), dict(self._space(space).vectors)
        await asyncio.sleep(0)
        await super().remember(space, episodes, vectors, at=at)
        held = self._space(space)
        held.episodes = {**before[0], **{one.id: held.episodes[one.id] for one in episodes}}
        held.vectors = {**before[1], **{one.id: held.vectors[one.id] for one in episodes}}
        held.units = None


class Twin(ExactMemory):
    """Repaired: the reference."""
