"""Looks for a certificate of the agent that is named first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import without

FAILS = {"V20"}


class Mutant(DecimalVoter):
    """Looks for a certificate of the agent that is named first."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        if evidence.returns and evidence.returns[0].agent != "trend":
            return without(verdict, Rule.CERTIFIED, Rule.COOL_DOWN)
        return verdict


class Twin(DecimalVoter):
    """Repaired: the reference."""
