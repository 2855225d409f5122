"""Judges what nobody asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm_testkit.reference.voter import Recomputes

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import why

FAILS = {"V35"}


class Mutant(Recomputes):
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


class Twin(Recomputes):
    """Repaired: the reference."""
