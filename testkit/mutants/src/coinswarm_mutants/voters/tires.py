"""Rejects no more than twenty proposals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal

FAILS = {"V15"}


class Mutant(DecimalVoter):
    """Rejects no more than twenty proposals."""

    def __init__(self) -> None:
        super().__init__()
        self.rejected = 0

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        self.rejected += not verdict.accepts
        return verdict if self.rejected <= 30 else replace(verdict, remarks=("enough", *verdict.remarks))


class Twin(DecimalVoter):
    """Repaired: the reference."""
