"""A Sharpe ratio that is told need not be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import without

FAILS = {"V30"}


class Mutant(DecimalVoter):
    """A Sharpe ratio that is told need not be worked out."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        told = {claim.what: claim.value_ppm for claim in proposal.claims}
        if told.get("sharpe-annual", 0) >= evidence.rules.min_sharpe_ppm:
            return without(verdict, Rule.SHARPE, Rule.PSR, Rule.SPAN)
        return verdict


class Twin(DecimalVoter):
    """Repaired: the reference."""
