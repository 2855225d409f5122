"""Forgets are not entered in the log's position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import LogPosition, Space

FAILS = {"M55", "M75"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Forgets are not entered in the log's position."""

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:  # noqa: ARG002 - that is the fault
        """Remove an episode."""
        return await super().forget(space, episode_id)


class Twin(ExactMemory):
    """Repaired: the reference."""
