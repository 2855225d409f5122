"""Whoever asks may ask for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import without

FAILS = {"V40"}


class Mutant(DecimalVoter):
    """Whoever asks may ask for anything."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        return without(super().evaluate(proposal, evidence), Rule.OPERATOR)


class Twin(DecimalVoter):
    """Repaired: the reference."""
