"""Weights that fell as far as they may must wait like all others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal

FAILS = {"V45"}


class Mutant(DecimalVoter):
    """Weights that fell as far as they may must wait like all others."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        return super().evaluate(proposal, replace(evidence, previous=()))


class Twin(DecimalVoter):
    """Repaired: the reference."""
