"""Does not say whose record lets them weigh more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal

FAILS = {"L50"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Does not say whose record lets them weigh more."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = super().plan(outlook)
        return plan and replace(plan, evidence=plan.evidence[:1])


class Twin(EqualRisk):
    """Repaired: the reference."""
