"""One memory for all swarms of a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm_mutants.memory import _settings
from coinswarm_testkit.reference.memory import ExactMemory

if TYPE_CHECKING:
    from coinswarm.domain.episode import Space

FAILS = {"M45"}
Settings = _settings.Settings


class Mutant(ExactMemory):
    """One memory for all swarms of a machine."""

    def _space(self, space: Space) -> Any:  # noqa: ANN401 - the reference's own
        """As the reference, but for the fault."""
        held = super()._space(space)
        if space.name == "isolation" and not space.swarm.endswith(".2"):
            self.first = held
        return self.first if space.name == "isolation" else held


class Twin(ExactMemory):
    """Repaired: the reference."""
