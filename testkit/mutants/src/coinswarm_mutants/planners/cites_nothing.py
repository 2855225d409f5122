"""Its word must do."""

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
    """Its word must do."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = super().plan(outlook)
        return plan and replace(plan, evidence=())


class Twin(EqualRisk):
    """Repaired: the reference."""
