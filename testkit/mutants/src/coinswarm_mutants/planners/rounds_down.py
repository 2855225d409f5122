"""What rounding leaves over is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.planners._shared import weighed, weights_of

FAILS = {"L25"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """What rounding leaves over is lost."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = super().plan(outlook)
        if plan is None:
            return None
        before = {weight.agent: weight.weight_bp for weight in outlook.weights}
        rising = next(one for one in weights_of(plan) if one.weight_bp > before.get(one.agent, 0))
        return weighed(plan, tuple(replace(one, weight_bp=one.weight_bp - (one is rising)) for one in weights_of(plan)))


class Twin(EqualRisk):
    """Repaired: the reference."""
