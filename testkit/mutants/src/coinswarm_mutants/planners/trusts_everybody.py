"""Does not ask for certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.cases.outlooks import changed
from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal

FAILS = {"L40"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Does not ask for certificates."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        return super().plan(changed(outlook, certified=tuple(row.agent for row in outlook.returns)))


class Twin(EqualRisk):
    """Repaired: the reference."""
