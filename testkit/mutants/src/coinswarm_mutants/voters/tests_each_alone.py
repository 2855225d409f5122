"""Chance is for others to think of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.memory.promotion.voters import IntegerVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import without

FAILS = {"V40"}


class Mutant(IntegerVoter):
    """Chance is for others to think of."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        return without(super().evaluate(proposal, evidence), Rule.DISCOVERY)


class Twin(IntegerVoter):
    """Repaired: the reference."""
