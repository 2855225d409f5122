"""A proposal by an honest planner will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import without

FAILS = {"V40"}


class Mutant(DecimalVoter):
    """A proposal by an honest planner will do."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        return without(verdict, *verdict.failed)


class Twin(DecimalVoter):
    """Repaired: the reference."""
