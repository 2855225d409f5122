"""What the mutants of this folder have in common."""

from __future__ import annotations

from dataclasses import replace

from coinswarm.domain.proposal import Proposal, SetWeights, Weight


def weighed(plan: Proposal, weights: tuple[Weight, ...]) -> Proposal:
    """The proposal with other weights."""
    assert isinstance(plan.change, SetWeights)
    return replace(plan, change=replace(plan.change, weights=weights))


def weights_of(plan: Proposal) -> tuple[Weight, ...]:
    """What it proposes."""
    assert isinstance(plan.change, SetWeights)
    return plan.change.weights
