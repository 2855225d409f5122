"""Both voters come to the same findings, on sound and unsafe proposals, by whatever numbers they are held to."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm.domain.acceptance import Rule
from coinswarm.domain.proposal import AddEpisode, ProposalKind
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter, judges_at_once
from coinswarm.memory.quorum.findings import findings
from coinswarm_testkit.cases.case import RULES, Case
from coinswarm_testkit.cases.proposals import sound, unsafe

ONE, OTHER = DecimalVoter(), IntegerVoter()


@lru_cache(maxsize=4)
def cases(seed: int) -> tuple[Case, ...]:
    return (*sound(seed), *unsafe(seed))


def alike(case: Case) -> tuple[Rule, ...]:
    """What failed: the same for both, down to what a ballot signs."""
    one, other = (voter.evaluate(case.proposal, case.evidence) for voter in (ONE, OTHER))
    assert (one.held, one.failed) == (other.held, other.failed), (case.name, one.remarks, other.remarks)
    assert findings(one, case.evidence) == findings(other, case.evidence)
    return one.failed


def test_every_case_fails_what_it_states() -> None:
    for case in cases(0):
        assert set(alike(case)) == case.fails, case.name


def test_cases_are_of_every_kind_and_every_rule_is_broken_by_one() -> None:
    assert {case.proposal.kind for case in cases(0)} == set(ProposalKind)
    assert {rule for case in cases(0) for rule in case.fails} == set(Rule)


HELD_TO = st.fixed_dictionaries(
    {
        "min_trades": st.integers(2, 500),
        "min_sharpe_ppm": st.integers(0, 8_000_000),
        "min_psr_ppm": st.integers(500_000, 999_999),
        "max_pbo_ppm": st.integers(0, 1_000_000),
        "pbo_blocks": st.sampled_from([2, 4, 6]),
        "fdr_ppm": st.integers(1, 999_999),
        "min_dsr_ppm": st.integers(500_000, 999_999),
        "max_drawdown_ppm": st.integers(1, 300_000),
        "target_volatility_ppm": st.integers(1, 1_000_000),
        "block_days": st.integers(1, 60),
        "cusum_ppm": st.integers(1, 9_000_000),
        "folds": st.integers(2, 20),
        "purge_days": st.integers(0, 9),
        "cost_bp": st.integers(0, 300),
        "max_worse_ppm": st.integers(0, 2_000_000),
    }
)


@settings(max_examples=60)
@given(st.integers(0, 3), st.integers(0), HELD_TO)
def test_they_agree_whatever_they_are_held_to(seed: int, place: int, numbers: dict[str, Any]) -> None:
    known = cases(seed)
    case = known[place % len(known)]
    alike(replace(case, evidence=replace(case.evidence, rules=replace(RULES, **numbers))))


def told(kind: ProposalKind, stage: str = "") -> Case:
    """The first sound case of a kind."""
    return next(
        case
        for case in cases(0)
        if not case.fails and case.proposal.kind is kind and stage in {"", getattr(case.proposal.change, "stage", "")}
    )


@pytest.mark.parametrize(
    ("case", "rule", "field", "falls"),
    [
        (told(ProposalKind.PROMOTE_PATTERN, "shadow"), Rule.SHARPE, "min_sharpe_ppm", (0, 50_000_000)),
        (told(ProposalKind.PROMOTE_PATTERN, "shadow"), Rule.PSR, "min_psr_ppm", (500_000, 999_999)),
        (told(ProposalKind.PROMOTE_PATTERN, "shadow"), Rule.SPAN, "min_psr_ppm", (500_000, 999_999)),
        (told(ProposalKind.PROMOTE_PATTERN, "enabled"), Rule.DEFLATED, "min_dsr_ppm", (500_000, 999_999)),
        (told(ProposalKind.DEPRECATE_PATTERN), Rule.DECAYED, "cusum_ppm", (1, 10**9)),
        (told(ProposalKind.SET_WEIGHTS), Rule.BETTER, "cost_bp", (0, 10_000)),
    ],
    ids=lambda value: str(value) if isinstance(value, Rule) else "",
)
def test_the_very_bound_is_the_same(case: Case, rule: Rule, field: str, falls: tuple[int, int]) -> None:
    """Found by halving: every number on the way, and the two next to the bound, are judged alike."""

    def failed(number: int) -> bool:
        rules = replace(case.evidence.rules, max_drawdown_ppm=1_000_000, **{field: number})
        return rule in alike(replace(case, evidence=replace(case.evidence, rules=rules)))

    low, high = falls
    assert not failed(low)
    assert failed(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if failed(middle) else (middle, high)
    assert high - low == 1


def test_what_chance_begins_from_is_the_proposal_without_its_claims() -> None:
    case = told(ProposalKind.PROMOTE_PATTERN, "enabled")
    seed = case.proposal.seed
    assert replace(case.proposal, claims=()).seed == seed
    assert replace(case.proposal, base_version=3).seed != seed


@given(st.lists(st.floats(width=32) | st.sampled_from([math.inf, -math.inf, math.nan, 3.4e38, 0.0]), max_size=40))
def test_a_vector_is_finite_and_not_all_zero(numbers: list[float]) -> None:
    case = told(ProposalKind.ADD_EPISODE)
    change = case.proposal.change
    assert isinstance(change, AddEpisode)
    found = np.zeros(change.dimension, dtype="<f4")
    found[: len(numbers)] = np.array(numbers, dtype="<f4")[: change.dimension]
    vector = found.tobytes()
    proposal = replace(case.proposal, change=replace(change, vector_digest=sha256(vector).hexdigest()))
    good = bool(np.isfinite(found).all() and found.any())
    expected = set() if good else {Rule.VECTOR}
    assert set(alike(replace(case, proposal=proposal, evidence=replace(case.evidence, vector=vector)))) == expected


def test_only_core_s_own_voters_judge_at_once_and_only_an_episode() -> None:
    class Mine(DecimalVoter):
        """Whoever makes this may hang in it."""

    kinds = {case.proposal.kind: case.proposal for case in sound(0)}
    for voter in (ONE, OTHER):
        assert {kind for kind, one in kinds.items() if judges_at_once(voter, one)} == {ProposalKind.ADD_EPISODE}
    assert not any(judges_at_once(Mine(), one) for one in kinds.values())
    assert len(kinds) > 5
