"""Takes outcomes before they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm_testkit.reference.voter import Recomputes

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
from coinswarm_mutants.voters._shared import without

FAILS = {"V40"}


class Mutant(Recomputes):
    """Takes outcomes before they are known."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        """How it judges."""
        return without(super().evaluate(proposal, evidence), Rule.KNOWN)


class Twin(Recomputes):
    """Repaired: the reference."""
