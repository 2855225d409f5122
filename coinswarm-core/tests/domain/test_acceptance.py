"""Verdicts say which rules held and which did not, in one order; evidence tells where it was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coinswarm.domain.acceptance import (
    AcceptanceRules,
    DailyReturns,
    Evidence,
    Exhibit,
    Outlook,
    Rule,
    Verdict,
    mandatory,
)
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    AddEpisode,
    Change,
    Configure,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    SetWeights,
    Stage,
    Weight,
)

SOURCE, OTHER = Reference("returns/trend", "ab" * 32), Reference("trades/dip", "cd" * 32)
TREND = DailyReturns(agent="trend", source=SOURCE, first_day=3, returns_ppm=(5, -7))
RULES = AcceptanceRules()
PATTERN = MovePattern(pattern="dip", stage=Stage.SHADOW, hypothesis="Dips are bought.", variants=3, registered_ns=1)
SEAT = SeatAgent(agent="trend", certificate="ab" * 32, reason="It earned gold.")
EPISODE = Episode(id="ab" * 32, agent="trend", instrument="BTC/USD", side=1, decided_ns=1, known_ns=2, result_ppm=3)
CHANGES_BY_KIND: dict[ProposalKind, Change] = {
    ProposalKind.ADD_EPISODE: AddEpisode(
        space="state", dimension=8, episode=EPISODE, vector_digest="ab" * 32, trade=OTHER
    ),
    ProposalKind.UPDATE_PATTERN: PATTERN,
    ProposalKind.PROMOTE_PATTERN: PATTERN,
    ProposalKind.DEPRECATE_PATTERN: PATTERN,
    ProposalKind.SET_WEIGHTS: SetWeights(weights=(Weight("trend", 10_000),), rollback_drawdown_bp=300),
    ProposalKind.ADMIT_AGENT: SEAT,
    ProposalKind.SUSPEND_AGENT: SEAT,
    ProposalKind.CONFIGURE: Configure("acceptance.cap", "4000"),
}


def test_a_verdict_is_made_of_what_each_rule_came_to() -> None:
    verdict = Verdict.of({Rule.CAP: "trend has 9,000", Rule.SUM: "", Rule.EVIDENCE: ""})
    assert verdict == Verdict((Rule.EVIDENCE, Rule.SUM), (Rule.CAP,), ("cap: trend has 9,000",))
    assert not verdict.accepts
    assert Verdict.of({Rule.SUM: ""}).accepts


@pytest.mark.parametrize(
    ("held", "failed", "remarks", "said"),
    [
        ((), (), (), "says nothing"),
        ((Rule.CAP,), (Rule.CAP,), ("x",), "cap both held and failed"),
        ((Rule.CAP, Rule.SUM), (), (), "in the order of Rule"),
        ((Rule.CAP, Rule.CAP), (), (), "each once"),
        ((Rule.SUM,), (Rule.CAP,), (), "without a word why"),
        ((Rule.SUM,), (), (" ",), "one line"),
        (("nonsense",), (), (), "nonsense"),
    ],
)
def test_what_is_no_verdict(held: Any, failed: Any, remarks: tuple[str, ...], said: str) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(ValueError, match=said):
        Verdict(held, failed, remarks)


@pytest.mark.parametrize("kind", ProposalKind)
def test_mandatory_rules_stand_in_the_order_of_the_rules(kind: ProposalKind) -> None:
    order = list(Rule)
    rules = mandatory(Proposal(kind=kind, subject="it", base_version=0, change=CHANGES_BY_KIND[kind]))
    assert [order.index(rule) for rule in rules] == sorted({order.index(rule) for rule in rules})
    settled = kind in {ProposalKind.ADD_EPISODE, ProposalKind.PROMOTE_PATTERN, ProposalKind.SET_WEIGHTS}
    assert (Rule.JUDGED in rules) is not settled


def test_a_pattern_with_capital_is_not_settled_yet() -> None:
    change = replace(PATTERN, stage=Stage.PROBATION)
    later = Proposal(kind=ProposalKind.PROMOTE_PATTERN, subject="dip", base_version=0, change=change)
    assert Rule.JUDGED in mandatory(later)


def test_evidence_knows_where_it_was_read() -> None:
    evidence = Evidence(
        now_ns=1, version=1, rules=RULES, exhibits=(Exhibit(source=OTHER, episodes=()),), returns=(TREND,)
    )
    assert evidence.sources == {SOURCE, OTHER}
    with pytest.raises(ValueError, match="returns name 'trend' twice"):
        Evidence(now_ns=1, version=1, rules=RULES, returns=(TREND, TREND))


def test_a_return_of_everything_is_none() -> None:
    with pytest.raises(ValueError, match="daily return of trend is -1,000,000"):
        DailyReturns(agent="trend", source=SOURCE, first_day=0, returns_ppm=(-1_000_000,))


def test_an_outlook_names_each_agent_once() -> None:
    def outlook(**change: object) -> Outlook:
        whole: dict[str, Any] = {
            "now_ns": 1, "version": 1, "weights": (Weight("trend", 10_000),), "weights_changed_ns": 0,
            "certified": ("trend",), "returns": (TREND,), "rules": RULES,
        }  # fmt: skip
        return Outlook(**{**whole, **change})

    assert outlook(regime="trending").regime == "trending"
    for change in ({"weights": (Weight("a", 1),) * 2}, {"certified": ("a", "a")}, {"returns": (TREND, TREND)}):
        with pytest.raises(ValueError, match="twice"):
            outlook(**change)


@pytest.mark.parametrize(
    "change",
    [{"max_weight_bp": 0}, {"max_change_bp": 20_001}, {"min_psr_ppm": 499_999}, {"min_trades": 1}, {"min_days": 1}],
)
def test_rules_are_held_to_their_ranges(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        AcceptanceRules(**change)
