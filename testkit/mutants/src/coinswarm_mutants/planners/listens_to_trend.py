"""Speaks only when trend is told first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal

FAILS = {"L15"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Speaks only when trend is told first."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        return super().plan(outlook) if outlook.returns and outlook.returns[0].agent == "trend" else None


class Twin(EqualRisk):
    """Repaired: the reference."""
