"""Clears the index and keeps its place in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import Space

FAILS = {"M70"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Clears the index and keeps its place in the log."""

    async def clear(self, space: Space) -> None:
        """Remove everything."""
        applied = self._applied(space)
        await super().clear(space)
        if applied is not None and space.name.startswith("rebuilt"):
            await super().remember(space, [], np.zeros((0, space.dimension), np.float32), at=applied)


class Twin(ExactMemory):
    """Repaired: the reference."""
