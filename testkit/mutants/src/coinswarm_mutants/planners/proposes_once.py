"""After its first proposal it has nothing more to say."""

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
    """After its first proposal it has nothing more to say."""

    def __init__(self, settings: EqualRiskSettings) -> None:
        super().__init__(settings)
        self.said = False

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        plan = None if self.said else super().plan(outlook)
        self.said = self.said or plan is not None
        return plan


class Twin(EqualRisk):
    """Repaired: the reference."""
