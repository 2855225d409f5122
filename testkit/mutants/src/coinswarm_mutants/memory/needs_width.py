"""Knows widths that are a multiple of eight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, LogPosition, Space
    from coinswarm_testkit.reference.memory import Vectors

FAILS = {"M90"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Knows widths that are a multiple of eight."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes."""
        if space.dimension % 8:
            message = f"{space.dimension} is no width"
            raise ValueError(message)
        await super().remember(space, episodes, vectors, at=at)


class Twin(ExactMemory):
    """Repaired: the reference."""
