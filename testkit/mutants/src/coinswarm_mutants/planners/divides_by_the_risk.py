"""Meets returns that never vary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal

FAILS = {"L60"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Meets returns that never vary."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        for row in outlook.returns:
            if row.returns_ppm:
                assert 1 / (max(row.returns_ppm) - min(row.returns_ppm)) > 0
        return super().plan(outlook)


class Twin(EqualRisk):
    """Repaired: the reference."""
