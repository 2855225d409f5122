"""Cites what it was not shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.proposal import Proposal, Reference
from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook

FAILS = {"L50"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Cites what it was not shown."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = super().plan(outlook)
        return plan and replace(plan, evidence=(*plan.evidence, Reference("returns/hearsay", "0" * 64)))


class Twin(EqualRisk):
    """Repaired: the reference."""
