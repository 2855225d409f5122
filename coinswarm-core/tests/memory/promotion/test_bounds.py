"""What voters work out is bounded: what is too much fails, and nobody begins with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coinswarm.domain.acceptance import AcceptanceRules, Rule, TrialReturns
from coinswarm.domain.limits import LIMITS, MOST_SPLITS, MOST_TRIAL_DAYS, splits
from coinswarm.domain.proposal import Reference, Stage
from coinswarm.memory.promotion import rules
from coinswarm.memory.promotion.decimals import Decimals
from coinswarm.memory.promotion.judging import RuleVoter
from coinswarm_testkit.cases.case import Case, digest
from coinswarm_testkit.cases.proposals import sound


def trials(count: int, days: int) -> tuple[TrialReturns, ...]:
    """So many variants of so many days."""
    return tuple(
        TrialReturns(
            variant=f"v{number}",
            source=Reference(f"trials/dip/v{number}", digest(str(number))),
            first_day=1,
            returns_ppm=(1,) * days,
        )
        for number in range(count)
    )


@pytest.mark.parametrize(("blocks", "most"), [(16, 77), (14, 291), (12, 1_082), (10, 3_968)])
def test_as_many_variants_as_can_be_looked_at_in_all_splits(blocks: int, most: int) -> None:
    assert not rules.bounded(trials(most, 1), blocks)
    assert "splits are more than 1,000,000" in rules.bounded(trials(most + 1, 1), blocks)
    assert not rules.bounded(trials(most + 1, 1))


def test_as_many_days_as_can_be_looked_at() -> None:
    """Those that all variants have: others are looked at by nobody."""
    most = MOST_TRIAL_DAYS // 100
    assert not rules.bounded(trials(100, most))
    assert "100 variants of 20,001 days are more than 2,000,000" in rules.bounded(trials(100, most + 1))
    short = trials(1, most)
    assert not rules.bounded((*short, *trials(100, most + 1)[1:]))


def test_with_any_blocks_some_variants_can_be_looked_at() -> None:
    """Whatever the rules are set to, within their limits; by default some thousands."""
    assert MOST_SPLITS // splits(LIMITS["pbo_blocks"][1]) > 50
    assert MOST_SPLITS // splits(AcceptanceRules().pbo_blocks) > 3_000


class Busy(Decimals):
    """Should not be asked."""

    def overfit(self, *_: object) -> str:
        pytest.fail("it is too much")

    def deflated(self, *_: object) -> str:
        pytest.fail("it is too much")


def told(stage: Stage, rows: tuple[TrialReturns, ...], blocks: int) -> Case:
    """A sound promotion that shows these trials."""
    case = next(one for one in sound(0) if getattr(one.proposal.change, "stage", "") == stage)
    return case.but(
        "too much", variants=len(rows), known_variants=len(rows), known_trials=rows,
        known_rules=replace(case.evidence.rules, pbo_blocks=blocks),
        cites=(case.proposal.evidence[0], *(row.source for row in rows)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "rule", "rows"),
    [
        (Stage.SHADOW, Rule.OVERFIT, trials(78, 400)),
        (Stage.SHADOW, Rule.OVERFIT, trials(4, 500_001)),
        (Stage.ENABLED, Rule.DEFLATED, trials(4, 500_001)),
    ],
    ids=["splits", "days", "days, deflated"],
)
def test_what_is_too_much_is_rejected_before_anybody_works_it_out(
    stage: Stage, rule: Rule, rows: tuple[TrialReturns, ...]
) -> None:
    case = told(stage, rows, 16)
    verdict = RuleVoter(Busy()).evaluate(case.proposal, case.evidence)
    assert verdict.failed == (rule,)
    assert "are more than" in verdict.remarks[0]
