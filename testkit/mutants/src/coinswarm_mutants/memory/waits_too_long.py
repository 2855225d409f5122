"""An outcome counts a nanosecond after it was known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Filter, Match, Space
    from coinswarm_testkit.reference.memory import Vector

FAILS = {"M35"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """An outcome counts a nanosecond after it was known."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """What it finds."""
        return await super().recall(space, vector, k, as_of_ns - 1, where)


class Twin(ExactMemory):
    """Repaired: the reference."""
