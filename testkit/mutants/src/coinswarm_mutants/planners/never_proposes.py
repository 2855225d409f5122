"""Cannot be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal

FAILS = {"L20"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Cannot be wrong."""

    def plan(self, outlook: Outlook) -> Proposal | None:  # noqa: ARG002 - that is the fault
        """What it proposes."""
        return None


class Twin(EqualRisk):
    """Repaired: the reference."""
