"""A vector of zeros is a vector too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode, LogPosition, Space
    from coinswarm_testkit.reference.memory import Vectors

FAILS = {"M50"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """A vector of zeros is a vector too."""

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes."""
        if vectors.shape[1] == space.dimension and np.isfinite(vectors).all():
            vectors = np.where(np.abs(vectors).sum(axis=1, keepdims=True) > 0, vectors, np.float32(1e-6))
        await super().remember(space, episodes, vectors, at=at)


class Twin(ExactMemory):
    """Repaired: the reference."""
