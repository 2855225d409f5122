"""The cool-down must be over by a nanosecond."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.proposal import ProposalKind
from coinswarm.memory.promotion.voters import DecimalVoter

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict
    from coinswarm.domain.proposal import Proposal

FAILS = {"V45"}


class Mutant(DecimalVoter):
    """The cool-down must be over by a nanosecond."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        if proposal.kind is ProposalKind.SET_WEIGHTS:
            evidence = replace(evidence, weights_changed_ns=evidence.weights_changed_ns + 1)
        return super().evaluate(proposal, evidence)


class Twin(DecimalVoter):
    """Repaired: the reference."""
