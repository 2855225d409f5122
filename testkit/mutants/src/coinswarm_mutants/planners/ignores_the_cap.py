"""Believes in one agent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.cases.outlooks import changed
from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal

FAILS = {"L30"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Believes in one agent."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        rules = replace(outlook.rules, max_weight_bp=10_000)
        return super().plan(changed(outlook, rules=rules))


class Twin(EqualRisk):
    """Repaired: the reference."""
