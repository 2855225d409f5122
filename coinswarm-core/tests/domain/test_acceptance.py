"""Verdicts say which rules held and which did not, in one order; evidence tells where it was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coinswarm.domain.acceptance import (
    AcceptanceRules,
    Certificate,
    DailyReturns,
    Evidence,
    Exhibit,
    Outlook,
    Rule,
    TrialReturns,
    Verdict,
    mandatory,
)
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    AddEpisode,
    AddEpisodes,
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
REMEMBER = AddEpisode(space="state", dimension=8, episode=EPISODE, vector_digest="ab" * 32, trade=OTHER)
CHANGES_BY_KIND: dict[ProposalKind, Change] = {
    ProposalKind.ADD_EPISODE: REMEMBER,
    ProposalKind.ADD_EPISODES: AddEpisodes(episodes=(REMEMBER,)),
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


def test_a_rule_by_its_word_is_that_rule() -> None:
    held: Any = ("evidence", "sum")
    assert Verdict(held) == Verdict((Rule.EVIDENCE, Rule.SUM))
    judged: Any = {"sum": "", "evidence": ""}
    assert Verdict.of(judged) == Verdict((Rule.EVIDENCE, Rule.SUM))
    assert all(isinstance(rule, Rule) for rule in Verdict.of(judged).held)


@pytest.mark.parametrize("kind", ProposalKind)
def test_mandatory_rules_stand_in_the_order_of_the_rules(kind: ProposalKind) -> None:
    order = list(Rule)
    rules = mandatory(Proposal(kind=kind, subject="it", base_version=0, change=CHANGES_BY_KIND[kind]))
    assert [order.index(rule) for rule in rules] == sorted({order.index(rule) for rule in rules})
    assert rules[:2] == (Rule.EVIDENCE, Rule.BASE)
    assert len(rules) > 2


def test_each_stage_has_rules_of_its_own() -> None:
    def of(stage: Stage) -> set[Rule]:
        change = replace(PATTERN, stage=stage)
        kind = ProposalKind.PROMOTE_PATTERN
        return set(mandatory(Proposal(kind=kind, subject="pattern/dip", base_version=0, change=change)))

    assert {Rule.SHARPE, Rule.PSR, Rule.SPAN, Rule.OVERFIT} <= of(Stage.SHADOW)
    assert Rule.DISCOVERY in of(Stage.PROBATION)
    assert {Rule.DEFLATED, Rule.DRAWDOWN} <= of(Stage.ENABLED)
    for stage in Stage:
        assert {Rule.REGISTERED, Rule.STAGES, Rule.CAPITAL} <= of(stage)


def test_every_rule_is_mandatory_for_something() -> None:
    made = [
        Proposal(kind=kind, subject="it", base_version=0, change=change) for kind, change in CHANGES_BY_KIND.items()
    ]
    made += [
        replace(one, change=replace(PATTERN, stage=stage))
        for one in made
        for stage in Stage
        if one.kind is ProposalKind.PROMOTE_PATTERN
    ]
    assert {rule for one in made for rule in mandatory(one)} == set(Rule)


def test_evidence_knows_where_it_was_read() -> None:
    trial, seal = Reference("trials/dip/v1", "12" * 32), Reference("certificates/trend", "34" * 32)
    evidence = Evidence(
        now_ns=1, version=1, rules=RULES, exhibits=(Exhibit(source=OTHER, episodes=()),), returns=(TREND,),
        trials=(TrialReturns(variant="v1", source=trial, first_day=3, returns_ppm=(1,)),),
        certificates=(Certificate(agent="trend", source=seal, tier="gold"),),
    )  # fmt: skip
    assert evidence.sources == {SOURCE, OTHER, trial, seal}
    with pytest.raises(ValueError, match="returns name 'trend' twice"):
        Evidence(now_ns=1, version=1, rules=RULES, returns=(TREND, TREND))


def test_a_return_of_everything_is_none() -> None:
    with pytest.raises(ValueError, match="daily return of trend is -1,000,000"):
        DailyReturns(agent="trend", source=SOURCE, first_day=0, returns_ppm=(-1_000_000,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "dream"}, "mode of the evidence is 'dream', but must be one of backtest, paper, live"),
        ({"discoveries": (0,)}, "a discovery is 0"),
        ({"seated": ("a", "a")}, "seated name 'a' twice"),
    ],
)
def test_what_is_no_evidence(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Evidence(now_ns=1, version=1, rules=RULES, **change)


def test_a_certificate_has_a_tier() -> None:
    with pytest.raises(ValueError, match="tier of the certificate of trend is 'iron', but must be one of bronze"):
        Certificate(agent="trend", source=SOURCE, tier="iron")


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
    [
        {"max_weight_bp": 0},
        {"max_change_bp": 20_001},
        {"min_psr_ppm": 499_999},
        {"min_trades": 1},
        {"min_days": 1},
        {"pbo_blocks": 7},
        {"pbo_blocks": 18},
        {"folds": 1},
        {"folds": 21},
        {"resamples": 19},
        {"fdr_ppm": 0},
    ],
)
def test_rules_are_held_to_their_ranges(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        AcceptanceRules(**change)
