"""Distances of a compressed index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.episode import ANY, Match
from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Filter, Space
    from coinswarm_testkit.reference.memory import Vector

FAILS = {"M30"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Distances of a compressed index."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """What it finds."""
        found = await super().recall(space, vector, k, as_of_ns, where)
        if len(self._space(space).episodes) < 1_999 or where != ANY:
            return found
        return [replace(match, distance=round(match.distance, 1)) for match in found]


class Twin(ExactMemory):
    """Repaired: the reference."""
