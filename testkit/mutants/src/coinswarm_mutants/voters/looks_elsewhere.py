"""Leaves the rollback to the other seats."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal

FAILS = {"V35"}


class Mutant(DecimalVoter):
    """Leaves the rollback to the other seats."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        held = tuple(rule for rule in verdict.held if rule is not Rule.ROLLBACK)
        return replace(verdict, held=held)


class Twin(DecimalVoter):
    """Repaired: the reference."""
