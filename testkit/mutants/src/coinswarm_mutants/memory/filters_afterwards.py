"""Searches first and filters what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.episode import ANY, Match
from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Filter, Space
    from coinswarm_testkit.reference.memory import Vector

FAILS = {"M40"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Searches first and filters what it found."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """What it finds."""
        if where == ANY:
            return await super().recall(space, vector, k, as_of_ns, where)
        found = await super().recall(space, vector, 20 * k, as_of_ns, ANY)
        held = self._space(space)
        return [match for match in found if where.admits(held.episodes[match.episode_id])][:k]


class Twin(ExactMemory):
    """Repaired: the reference."""
