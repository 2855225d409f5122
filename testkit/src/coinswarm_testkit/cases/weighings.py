"""Changes of weights: sound ones, some at a bound, and unsafe ones that each break a stated rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.domain.acceptance import OPERATOR, DailyReturns, Evidence, Rule
from coinswarm.domain.proposal import Proposal, ProposalKind, Reference, SetWeights, Weight
from coinswarm_testkit.cases.case import DAY_NS, FIRST_DAY, HOUR_NS, RULES, Case, bent, digest

if TYPE_CHECKING:
    import numpy as np

DAYS = 200


def returns(rng: np.random.Generator, agent: str, mean: float, *, days: int = DAYS) -> DailyReturns:
    """Daily returns of that mean and a deviation of 3,000, in millionths."""
    rows = bent(rng, days, mean, 3_000)
    source = Reference(f"returns/{agent}", digest(f"{agent} {rows}"))
    return DailyReturns(agent=agent, source=source, first_day=FIRST_DAY, returns_ppm=tuple(rows))


def three(trend: int, meanrev: int, pairs: int) -> tuple[Weight, ...]:
    """Weights of the three agents."""
    return Weight("trend", trend), Weight("meanrev", meanrev), Weight("pairs", pairs)


def weighing(rng: np.random.Generator) -> Case:
    """A sound change of weights: a little from the one that loses to the one that earns."""
    rows = (returns(rng, "trend", -500), returns(rng, "meanrev", 1_500), returns(rng, "pairs", 500))
    now_ns = (FIRST_DAY + DAYS) * DAY_NS + HOUR_NS
    change = SetWeights(weights=three(3_500, 3_500, 3_000), rollback_drawdown_bp=300)
    proposal = Proposal(
        kind=ProposalKind.SET_WEIGHTS,
        subject="weights",
        base_version=7,
        change=change,
        evidence=tuple(row.source for row in rows),
    )
    evidence = Evidence(
        now_ns=now_ns,
        version=7,
        rules=RULES,
        returns=rows,
        weights=three(4_000, 3_000, 3_000),
        weights_changed_ns=now_ns - 3 * DAY_NS,
        certified=("trend", "meanrev", "pairs"),
    )
    return Case("weights that would have earned more", proposal, evidence)


def fallen(rng: np.random.Generator) -> Case:
    """Weights that fell as far as they may are taken back: at once, and however far that is.

    They came into force on the fourth day from the end, and on the second all agents lose 3 %.
    """
    base = weighing(rng)
    rows = tuple(replace(row, returns_ppm=(*row.returns_ppm[:-3], 0, -30_000, 0)) for row in base.evidence.returns)
    before = three(2_000, 4_000, 4_000)
    return base.but(
        "weights that fell, back to those before",
        weights=before,
        known_previous=before,
        known_rollback_drawdown_bp=300,
        known_returns=rows,
        known_rules=replace(RULES, cool_down_ns=10 * DAY_NS),
        known_weights_changed_ns=(FIRST_DAY + DAYS - 3) * DAY_NS - 1,
    )


def sound(rng: np.random.Generator) -> list[Case]:
    """What a voter must accept."""
    base = weighing(rng)
    idle = (*three(3_500, 3_500, 3_000), Weight("idle", 0))
    return [
        base,
        base.but("the cool-down just over", known_weights_changed_ns=base.evidence.now_ns - RULES.cool_down_ns),
        base.but("taken back at the largest loss allowed", rollback_drawdown_bp=RULES.max_rollback_bp),
        base.but("one at the cap", weights=three(3_500, 2_500, 4_000), known_weights=three(4_000, 2_500, 3_500)),
        base.but("an agent of weight nothing needs no certificate", weights=idle),
        fallen(rng),
        first(base),
    ]


def first(base: Case) -> Case:
    """The operator's weights, before there were any."""
    return base.but(
        "the first weights, by the operator", base_version=0, cites=(), known_version=0, known_weights=(),
        known_returns=(), known_weights_changed_ns=0, known_submitter=OPERATOR,
    )  # fmt: skip


def unsafe(rng: np.random.Generator) -> list[Case]:
    """What a voter must reject, and by which rules."""
    base = weighing(rng)
    now, cites = base.evidence.now_ns, base.proposal.evidence
    other = Reference("returns/hearsay", digest("hearsay"))
    forged = (Reference(cites[0].place, digest("forged")), *cites[1:])
    short = returns(rng, "short", -500)
    young = tuple(replace(row, returns_ppm=row.returns_ppm[: RULES.min_days - 1]) for row in base.evidence.returns)
    return [
        base.but("a basis point too few", Rule.SUM, weights=three(3_500, 3_499, 3_000)),
        base.but("a basis point too many", Rule.SUM, weights=three(3_501, 3_500, 3_000)) ,
        base.but(
            "a weight below nothing", Rule.SUM,
            weights=(*three(3_600, 3_401, 3_000), Weight("short", -1)),
            known_returns=(*base.evidence.returns, short), known_certified=(*base.evidence.certified, "short"),
            cites=(*cites, short.source),
        ),
        base.but("a basis point above the cap", Rule.CAP, weights=three(3_000, 4_001, 2_999),
                 known_weights=three(3_500, 3_501, 2_999)),
        base.but("moved two basis points too far", Rule.CHANGE, weights=three(3_499, 3_501, 3_000)),
        base.but(
            "a nanosecond within the cool-down", Rule.COOL_DOWN,
            known_weights_changed_ns=now - RULES.cool_down_ns + 1,
        ),
        base.but("without a certificate", Rule.CERTIFIED, known_certified=("trend", "pairs")),
        base.but("from the one that earns to the one that loses", Rule.BETTER, weights=three(4_000, 3_000, 3_000),
                 known_weights=three(3_500, 3_500, 3_000)),
        *_no_better(rng, base),
        base.but("a record that is too short", Rule.BETTER, known_returns=young),
        base.but("never taken back", Rule.ROLLBACK, rollback_drawdown_bp=0),
        base.but("taken back when it is too late", Rule.ROLLBACK, rollback_drawdown_bp=RULES.max_rollback_bp + 1),
        base.but("from a version that is gone", Rule.BASE, base_version=6),
        base.but("about something else", Rule.BASE, subject="weights/spare"),
        base.but("no evidence at all", Rule.EVIDENCE, Rule.BETTER, cites=()),
        base.but("evidence that is not there", Rule.EVIDENCE, cites=(*cites, other)),
        base.but("evidence of another digest", Rule.EVIDENCE, Rule.BETTER, cites=forged),
        base.but("one agent's record left out", Rule.BETTER, cites=cites[1:]),
        base.but(
            "everything to one that loses, at once", Rule.CAP, Rule.CHANGE, Rule.COOL_DOWN, Rule.BETTER, Rule.ROLLBACK,
            weights=(Weight("trend", 10_000),), rollback_drawdown_bp=10_000, known_weights_changed_ns=now,
        ),
        first(base).but("the first weights, by a planner", Rule.EVIDENCE, Rule.CHANGE, Rule.BETTER,
                        known_submitter="planner"),
        *_no_way_back(rng),
    ]  # fmt: skip


def _no_better(rng: np.random.Generator, base: Case) -> list[Case]:
    """Changes that look like a gain, and are none."""
    days = bent(rng, DAYS, 500, 3_000)
    little = [one + 20 for one in days]  # 1 ppm a day for the weights that move; the move costs 100 in each fold
    lucky = [one + (9_000 if number >= DAYS * 4 // 5 else -2_000) for number, one in enumerate(days)]

    def told(meanrev: list[int]) -> tuple[DailyReturns, ...]:
        rows = zip(base.evidence.returns, (days, meanrev, days), strict=True)
        return tuple(replace(row, returns_ppm=tuple(earned)) for row, earned in rows)

    return [
        base.but("a gain that does not pay for the move", Rule.BETTER, known_returns=told(little)),
        base.but("a gain of one lucky month", Rule.BETTER, known_returns=told(lucky)),
    ]


def _no_way_back(rng: np.random.Generator) -> list[Case]:
    """Weights that are not to be taken back yet, or not to these."""
    back = fallen(rng)
    wrong = (Rule.CHANGE, Rule.COOL_DOWN)
    return [
        back.but("taken back before they fell so far", *wrong, known_rollback_drawdown_bp=301),
        back.but("taken back though nobody said when", *wrong, known_rollback_drawdown_bp=0),
        back.but("taken back to others than those before", *wrong, known_previous=three(2_001, 3_999, 4_000)),
        back.but(
            "taken back for what fell before they were in force", *wrong,
            known_weights_changed_ns=(FIRST_DAY + DAYS - 2) * DAY_NS,
        ),
    ]  # fmt: skip
