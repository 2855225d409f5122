"""Finds an episode as soon as it was decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Filter, Match, Space
    from coinswarm_testkit.reference.memory import Vector

FAILS = {"M35", "M40"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Finds an episode as soon as it was decided."""

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """What it finds."""
        last = where.decided_before_ns or as_of_ns + 1
        if as_of_ns + 1 <= where.decided_from_ns:
            return await super().recall(space, vector, k, as_of_ns, where)
        early = replace(where, decided_before_ns=min(last, as_of_ns + 1))
        return await super().recall(space, vector, k, 1 << 62, early)


class Twin(ExactMemory):
    """Repaired: the reference."""
