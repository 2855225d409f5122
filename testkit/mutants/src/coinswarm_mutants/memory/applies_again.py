"""Whatever it is told, it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import LogPosition, Space

FAILS = {"M55"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """Whatever it is told, it does."""

    def _advances(self, space: Space, at: LogPosition | None) -> bool:  # noqa: ARG002 - that is the fault
        """As the reference, but for the fault."""
        return True


class Twin(ExactMemory):
    """Repaired: the reference."""
