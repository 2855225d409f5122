"""Judges what nobody asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import why

FAILS = {"V35"}


class Mutant(DecimalVoter):
    """Judges what nobody asked."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        return Verdict.of(
            {
                Rule.DUPLICATE: "",
                **dict.fromkeys(verdict.held, ""),
                **{rule: why(verdict, rule) for rule in verdict.failed},
            }
        )


class Twin(DecimalVoter):
    """Repaired: the reference."""
