"""Cannot be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Verdict
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal

FAILS = {"V45"}


class Mutant(DecimalVoter):
    """Cannot be wrong."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        if not verdict.accepts:
            return verdict
        return Verdict.of(dict.fromkeys(verdict.held, "not today"))


class Twin(DecimalVoter):
    """Repaired: the reference."""
