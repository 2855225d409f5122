"""An index that searches one half of a large space."""

from __future__ import annotations

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
    """An index that searches one half of a large space."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """What it finds."""
        held = self._space(space)
        if len(held.episodes) < 1_999 or where != ANY:
            return await super().recall(space, vector, k, as_of_ns, where)
        found = await super().recall(space, vector, 2 * k, as_of_ns, where)
        return found[::2]


class Twin(ExactMemory):
    """Repaired: the reference."""
