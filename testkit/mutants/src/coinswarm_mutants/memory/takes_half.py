"""Takes in what comes before a vector that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, LogPosition, Space
    from coinswarm_testkit.reference.memory import Vectors

FAILS = {"M50"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Takes in what comes before a vector that is none."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes."""
        try:
            await super().remember(space, episodes, vectors, at=at)
        except ValueError:
            await super().remember(space, episodes[:1], vectors[:1], at=at)
            raise


class Twin(ExactMemory):
    """Repaired: the reference."""
