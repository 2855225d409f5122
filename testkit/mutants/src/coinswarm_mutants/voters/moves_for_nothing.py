"""Moving weights costs nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.promotion.voters import IntegerVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal

FAILS = {"V40"}


class Mutant(IntegerVoter):
    """Moving weights costs nothing."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        return super().evaluate(proposal, replace(evidence, rules=replace(evidence.rules, cost_bp=0)))


class Twin(IntegerVoter):
    """Repaired: the reference."""
