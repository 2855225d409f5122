"""Rejects no more than twenty proposals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm_testkit.reference.voter import Recomputes

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal

FAILS = {"V15"}


class Mutant(Recomputes):
    """Rejects no more than twenty proposals."""

    def __init__(self) -> None:
        self.rejected = 0

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        verdict = super().evaluate(proposal, evidence)
        self.rejected += not verdict.accepts
        return verdict if self.rejected <= 30 else replace(verdict, remarks=("enough", *verdict.remarks))


class Twin(Recomputes):
    """Repaired: the reference."""
