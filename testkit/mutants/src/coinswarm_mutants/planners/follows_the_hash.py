"""Lists agents as a set does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.planners._shared import weighed, weights_of

FAILS = {"L10"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Lists agents as a set does."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = super().plan(outlook)
        return plan and weighed(plan, tuple(set(weights_of(plan))))


class Twin(EqualRisk):
    """Repaired: the reference."""
