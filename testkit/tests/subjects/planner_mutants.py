"""Planners that break one demand each. The repaired twin of each is the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.proposal import Proposal, Reference, SetWeights, Weight
from coinswarm_testkit.cases.outlooks import changed
from coinswarm_testkit.reference.planner import EqualRisk
from coinswarm_testkit.reference.settings import EqualRiskSettings

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Outlook


class Mutant(EqualRisk):
    """Needs no settings."""

    def __init__(self) -> None:
        super().__init__(EqualRiskSettings())


def weighed(plan: Proposal, weights: tuple[Weight, ...]) -> Proposal:
    """The proposal with other weights."""
    assert isinstance(plan.change, SetWeights)
    return replace(plan, change=replace(plan.change, weights=weights))


def weights_of(plan: Proposal) -> tuple[Weight, ...]:
    """What it proposes."""
    assert isinstance(plan.change, SetWeights)
    return plan.change.weights


class FollowsTheHash(Mutant):
    """Lists agents as a set does."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        return plan and weighed(plan, tuple(set(weights_of(plan))))


class ListensToTrend(Mutant):
    """Speaks only when trend is told first."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        return super().plan(outlook) if outlook.returns and outlook.returns[0].agent == "trend" else None


class ProposesOnce(Mutant):
    """After its first proposal it has nothing more to say."""

    def __init__(self) -> None:
        super().__init__()
        self.said = False

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = None if self.said else super().plan(outlook)
        self.said = self.said or plan is not None
        return plan


class NeverProposes(Mutant):
    """Cannot be wrong."""

    def plan(self, outlook: Outlook) -> Proposal | None:  # noqa: ARG002 - that is the fault
        return None


class RoundsDown(Mutant):
    """What rounding leaves over is lost."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        if plan is None:
            return None
        before = {weight.agent: weight.weight_bp for weight in outlook.weights}
        rising = next(one for one in weights_of(plan) if one.weight_bp > before.get(one.agent, 0))
        return weighed(plan, tuple(replace(one, weight_bp=one.weight_bp - (one is rising)) for one in weights_of(plan)))


class SellsShort(Mutant):
    """An agent that is not asked weighs less than nothing."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        if plan is None or outlook.rules.max_change_bp < 20_000 or outlook.rules.max_weight_bp < 10_000:
            return plan
        low, high, *others = sorted(weights_of(plan), key=lambda weight: weight.weight_bp)
        sold = replace(high, weight_bp=high.weight_bp + low.weight_bp + 1)
        return replace(
            weighed(plan, (replace(low, weight_bp=-1), sold, *others)),
            evidence=tuple(row.source for row in outlook.returns),
        )


class IgnoresTheCap(Mutant):
    """Believes in one agent."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        rules = replace(outlook.rules, max_weight_bp=10_000)
        return super().plan(changed(outlook, rules=rules))


class Jumps(Mutant):
    """Goes where it wants at once."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        rules = replace(outlook.rules, max_change_bp=20_000)
        return super().plan(changed(outlook, rules=rules))


class TrustsEverybody(Mutant):
    """Does not ask for certificates."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        return super().plan(changed(outlook, certified=tuple(row.agent for row in outlook.returns)))


class CannotWait(Mutant):
    """Proposes whenever it is asked."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        return super().plan(changed(outlook, weights_changed_ns=0))


class CitesNothing(Mutant):
    """Its word must do."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        return plan and replace(plan, evidence=())


class CitesAnother(Mutant):
    """Cites what it was not shown."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        return plan and replace(plan, evidence=(*plan.evidence, Reference("returns/hearsay", "0" * 64)))


class CitesTheLosers(Mutant):
    """Does not say whose record lets them weigh more."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        return plan and replace(plan, evidence=plan.evidence[:1])


class StartsAnew(Mutant):
    """Every proposal starts from the beginning."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        return plan and replace(plan, base_version=0)


class NeverGoesBack(Mutant):
    """Is taken back when everything is lost."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        plan = super().plan(outlook)
        if plan is None:
            return None
        return replace(plan, change=SetWeights(weights=weights_of(plan), rollback_drawdown_bp=10_000))


class DividesByTheRisk(Mutant):
    """Meets returns that never vary."""

    def plan(self, outlook: Outlook) -> Proposal | None:
        for row in outlook.returns:
            if row.returns_ppm:
                assert 1 / (max(row.returns_ppm) - min(row.returns_ppm)) > 0
        return super().plan(outlook)


class NeedsLess(Mutant):
    """Declares sixty days and is content with forty."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = EqualRiskSettings(days=40)


MUTANTS = {
    FollowsTheHash: {"L10"},
    ListensToTrend: {"L15"},
    ProposesOnce: {"L15"},
    NeverProposes: {"L20"},
    RoundsDown: {"L25"},
    SellsShort: {"L25"},
    IgnoresTheCap: {"L30"},
    Jumps: {"L35"},
    TrustsEverybody: {"L40"},
    CannotWait: {"L45"},
    CitesNothing: {"L50"},
    CitesAnother: {"L50"},
    CitesTheLosers: {"L50"},
    StartsAnew: {"L55"},
    NeverGoesBack: {"L55"},
    DividesByTheRisk: {"L60"},
    NeedsLess: {"L65"},
}
