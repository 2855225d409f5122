"""Has no field for what was at stake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import Episode, Space

FAILS = {"M10"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Has no field for what was at stake."""

    async def get(self, space: Space, episode_id: str) -> Episode | None:
        """What is remembered."""
        found = await super().get(space, episode_id)
        return replace(found, risk_ppm=0) if found and found.quality_bp == 10_000 else found


class Twin(ExactMemory):
    """Repaired: the reference."""
