"""Voters that break one demand each. The repaired twin of each is the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import Rule, Verdict
from coinswarm.domain.proposal import ProposalKind
from coinswarm_testkit.reference.voter import Recomputes

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal


def without(verdict: Verdict, *rules: Rule) -> Verdict:
    """The verdict as if these had held."""
    said = dict.fromkeys(verdict.held, "")
    said |= {rule: "" if rule in rules else _why(verdict, rule) for rule in verdict.failed}
    return Verdict.of(said)


def _why(verdict: Verdict, rule: Rule) -> str:
    return next(remark for remark in verdict.remarks if remark.startswith(rule)).removeprefix(f"{rule}: ")


class FollowsTheHash(Recomputes):
    """Remarks as a set tells them."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        return replace(verdict, remarks=tuple(set(verdict.remarks)))


class Tires(Recomputes):
    """Rejects no more than twenty proposals."""

    def __init__(self) -> None:
        self.rejected = 0

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        self.rejected += not verdict.accepts
        return verdict if self.rejected <= 30 else replace(verdict, remarks=("enough", *verdict.remarks))


class ReadsTheFirst(Recomputes):
    """Looks for a certificate of the agent that is named first."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        if evidence.returns and evidence.returns[0].agent != "trend":
            return without(verdict, Rule.CERTIFIED, Rule.COOL_DOWN)
        return verdict


class BelievesClaims(Recomputes):
    """A Sharpe ratio that is told need not be worked out."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        told = {claim.what: claim.value_ppm for claim in proposal.claims}
        if told.get("sharpe-annual", 0) >= evidence.rules.min_sharpe_ppm:
            return without(verdict, Rule.SHARPE, Rule.PSR, Rule.SPAN)
        return verdict


class LooksElsewhere(Recomputes):
    """Leaves the rollback to the other seats."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        held = tuple(rule for rule in verdict.held if rule is not Rule.ROLLBACK)
        return replace(verdict, held=held)


class KeepsItsReasons(Recomputes):
    """Says that it rejects, and no more."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        return verdict if verdict.accepts else replace(verdict, remarks=("no",))


class AddsARule(Recomputes):
    """Judges what nobody asked."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        return Verdict.of(
            {
                Rule.DUPLICATE: "",
                **dict.fromkeys(verdict.held, ""),
                **{rule: _why(verdict, rule) for rule in verdict.failed},
            }
        )


class SignsAnything(Recomputes):
    """A proposal by an honest planner will do."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        return without(verdict, *verdict.failed)


class RoundsTheSum(Recomputes):
    """Weights that sum to about 10,000."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        return without(super().evaluate(proposal, evidence), Rule.SUM)


class TrustsTheTrade(Recomputes):
    """An episode is what its proposer says it is."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        return without(super().evaluate(proposal, evidence), Rule.TRADE)


class LearnsTheFuture(Recomputes):
    """Takes outcomes before they are known."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        return without(super().evaluate(proposal, evidence), Rule.KNOWN)


class IgnoresVersions(Recomputes):
    """Starts from anywhere."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        return without(super().evaluate(proposal, evidence), Rule.BASE)


class RejectsAll(Recomputes):
    """Cannot be wrong."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        verdict = super().evaluate(proposal, evidence)
        if not verdict.accepts:
            return verdict
        return Verdict.of(dict.fromkeys(verdict.held, "not today"))


class IsStricter(Recomputes):
    """The cool-down must be over by a nanosecond."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:
        if proposal.kind is ProposalKind.SET_WEIGHTS:
            evidence = replace(evidence, weights_changed_ns=evidence.weights_changed_ns + 1)
        return super().evaluate(proposal, evidence)


MUTANTS = {
    FollowsTheHash: {"V10"},
    Tires: {"V15"},
    ReadsTheFirst: {"V20"},
    BelievesClaims: {"V30"},
    LooksElsewhere: {"V35"},
    KeepsItsReasons: {"V35"},
    AddsARule: {"V35"},
    SignsAnything: {"V40"},
    RoundsTheSum: {"V40"},
    TrustsTheTrade: {"V40"},
    LearnsTheFuture: {"V40"},
    IgnoresVersions: {"V40"},
    RejectsAll: {"V45"},
    IsStricter: {"V45"},
}
