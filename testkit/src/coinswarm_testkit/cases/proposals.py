"""Proposals with the evidence they rest on: sound ones, and unsafe ones that each break a stated rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.proposal import Claim, SetWeights
from coinswarm_testkit.cases import patterns, remembering, seats, several, weighings

if TYPE_CHECKING:
    from coinswarm_testkit.cases.case import Case


def sound(seed: int) -> list[Case]:
    """What a voter must accept, some of it exactly at a bound."""
    rng = np.random.default_rng([seed, 30])
    return [
        *weighings.sound(rng), *patterns.sound(rng), *remembering.sound(rng), *several.sound(rng), *seats.sound(),
    ]  # fmt: skip


def unsafe(seed: int) -> list[Case]:
    """What a voter must reject, and by which rules."""
    rng = np.random.default_rng([seed, 31])
    return [
        *weighings.unsafe(rng), *patterns.unsafe(rng), *remembering.unsafe(rng), *several.unsafe(rng), *seats.unsafe(),
    ]  # fmt: skip


def flattered(case: Case) -> Case:
    """The same proposal, with claims that are too good."""
    claims = tuple(
        Claim(what=what, value_ppm=value)
        for what, value in (("sharpe-annual", 9_000_000), ("psr", 999_999), ("trades", 5_000 * 10**6), ("drawdown", 1))
    )
    return replace(case, proposal=replace(case.proposal, claims=claims))


def shuffled(rng: np.random.Generator, case: Case) -> Case:
    """The same with every tuple in another order."""

    def mixed(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[place] for place in rng.permutation(len(values)).tolist())

    change = case.proposal.change
    if isinstance(change, SetWeights):
        change = replace(change, weights=mixed(change.weights))
    seen = case.evidence
    exhibits = mixed(tuple(replace(row, episodes=mixed(row.episodes)) for row in seen.exhibits))
    return replace(
        case,
        proposal=replace(case.proposal, change=change, evidence=mixed(case.proposal.evidence)),
        evidence=replace(
            seen,
            exhibits=exhibits,
            returns=mixed(seen.returns),
            weights=mixed(seen.weights),
            certified=mixed(seen.certified),
            remembered=mixed(seen.remembered),
            spaces=mixed(seen.spaces),
            vectors=mixed(seen.vectors),
            trials=mixed(seen.trials),
            previous=mixed(seen.previous),
            discoveries=mixed(seen.discoveries),
            certificates=mixed(seen.certificates),
            seated=mixed(seen.seated),
        ),
    )
