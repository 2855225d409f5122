"""Is taken back when everything is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.proposal import Proposal, SetWeights
from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
from coinswarm_mutants.planners._shared import weights_of

FAILS = {"L55"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Is taken back when everything is lost."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = super().plan(outlook)
        if plan is None:
            return None
        return replace(plan, change=SetWeights(weights=weights_of(plan), rollback_drawdown_bp=10_000))


class Twin(EqualRisk):
    """Repaired: the reference."""
