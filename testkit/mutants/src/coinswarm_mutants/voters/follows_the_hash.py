"""Remarks as a set tells them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal

FAILS = {"V10"}


class Mutant(DecimalVoter):
    """Remarks as a set tells them."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        return replace(verdict, remarks=tuple(set(verdict.remarks)))


class Twin(DecimalVoter):
    """Repaired: the reference."""
