"""An agent that is not asked weighs less than nothing."""

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
    """An agent that is not asked weighs less than nothing."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = super().plan(outlook)
        rules = outlook.rules
        free = rules.max_change_bp == 20_000 and rules.max_weight_bp == 10_000
        if plan is None or not free or len(weights_of(plan)) < 3:
            return plan
        low, high, *others = sorted(weights_of(plan), key=lambda weight: weight.weight_bp)
        sold = replace(high, weight_bp=high.weight_bp + low.weight_bp + 1)
        return replace(
            weighed(plan, (replace(low, weight_bp=-1), sold, *others)),
            evidence=tuple(row.source for row in outlook.returns),
        )


class Twin(EqualRisk):
    """Repaired: the reference."""
