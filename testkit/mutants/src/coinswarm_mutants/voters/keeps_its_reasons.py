"""Says that it rejects, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal

FAILS = {"V35"}


class Mutant(DecimalVoter):
    """Says that it rejects, and no more."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        return verdict if verdict.accepts else replace(verdict, remarks=("no",))


class Twin(DecimalVoter):
    """Repaired: the reference."""
