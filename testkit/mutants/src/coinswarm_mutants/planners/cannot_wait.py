"""Proposes whenever it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.cases.outlooks import changed
from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook
    from coinswarm.domain.proposal import Proposal

FAILS = {"L45"}
DECLARATION = {"history_days": 60}
Settings = EqualRiskSettings


class Mutant(EqualRisk):
    """Proposes whenever it is asked."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        """What it proposes."""
        return super().plan(changed(outlook, weights_changed_ns=0))


class Twin(EqualRisk):
    """Repaired: the reference."""
