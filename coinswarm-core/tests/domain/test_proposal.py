"""Proposals: each kind asks for its own change, and equal ones have one canonical form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coinswarm.canonical import canonical_json, digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    CHANGES,
    MOST_EPISODES,
    AddEpisode,
    AddEpisodes,
    Change,
    Claim,
    Configure,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    SetWeights,
    Stage,
    Weight,
    episodes_of,
    several,
)

ID = "ab" * 32
SOURCE = Reference("returns/trend", ID)
EPISODE = Episode(id=ID, agent="trend", instrument="BTC/USD", side=1, decided_ns=1, known_ns=2, result_ppm=3)
REMEMBER = AddEpisode(space="trend/state.1", dimension=8, episode=EPISODE, vector_digest=ID, trade=SOURCE)
EXAMPLES: dict[type[Change], Change] = {
    AddEpisode: REMEMBER,
    AddEpisodes: AddEpisodes(episodes=(REMEMBER,)),
    MovePattern: MovePattern(
        pattern="dip", stage=Stage.SHADOW, hypothesis="Dips are bought.", variants=3, registered_ns=1
    ),
    SetWeights: SetWeights(weights=(Weight("trend", 4_000), Weight("meanrev", 6_000)), rollback_drawdown_bp=300),
    SeatAgent: SeatAgent(agent="trend", certificate=ID, reason="It earned gold."),
    Configure: Configure("acceptance.max-weight-bp", "4000"),
}


def proposal(kind: ProposalKind) -> Proposal:
    return Proposal(
        kind=kind, subject="it", base_version=0, change=EXAMPLES[CHANGES[kind]], evidence=(SOURCE,),
        claims=(Claim(what="sharpe-annual", value_ppm=-1),),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ProposalKind)
def test_every_kind_has_a_canonical_form_without_floats(kind: ProposalKind) -> None:
    one = proposal(kind)
    assert digest(one.content()) == digest(replace(one).content())
    assert digest(one.content()) != digest(replace(one, subject="other").content())
    assert str(kind).encode() in canonical_json(one.content())


@pytest.mark.parametrize("kind", ProposalKind)
def test_a_kind_takes_no_other_change(kind: ProposalKind) -> None:
    for change, example in EXAMPLES.items():
        if change is not CHANGES[kind]:
            with pytest.raises(ValueError, match=f"asks for a {change.__name__}, but must ask for a"):
                Proposal(kind=kind, subject="it", base_version=0, change=example)


def test_the_content_tells_every_field_down_to_the_last() -> None:
    content = proposal(ProposalKind.SET_WEIGHTS).content()
    assert content["change"] == {
        "weights": [{"agent": "trend", "weight_bp": 4_000}, {"agent": "meanrev", "weight_bp": 6_000}],
        "rollback_drawdown_bp": 300,
    }
    assert content["evidence"] == [{"place": "returns/trend", "digest": ID}]


def test_what_is_cited_claimed_or_weighed_twice_is_refused() -> None:
    one = proposal(ProposalKind.SET_WEIGHTS)
    with pytest.raises(ValueError, match="evidence name 'returns/trend' twice"):
        replace(one, evidence=(SOURCE, Reference("returns/trend", "cd" * 32)))
    with pytest.raises(ValueError, match="claims name"):
        replace(one, claims=one.claims * 2)
    with pytest.raises(ValueError, match="weights name 'trend' twice"):
        SetWeights(weights=(Weight("trend", 1), Weight("trend", 2)), rollback_drawdown_bp=1)


def test_words_that_only_look_like_a_kind_or_a_stage_are_refused() -> None:
    one = proposal(ProposalKind.PROMOTE_PATTERN)
    with pytest.raises(ValueError, match="kind of the proposal is 'promote_pattern'"):
        replace(one, kind="promote_pattern")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="stage of dip is 'shadow'"):
        replace(one.change, stage="shadow")  # type: ignore[arg-type]


def test_a_weight_out_of_range_can_be_said_so_that_voters_can_refuse_it() -> None:
    assert Weight("trend", -5).weight_bp == -5
    with pytest.raises(ValueError, match="whole number"):
        Weight("trend", 0.5)  # type: ignore[arg-type]


def numbered(number: int) -> AddEpisode:
    return replace(
        REMEMBER,
        episode=replace(EPISODE, id=digest(number)),
        trade=Reference(f"trade/{number % 2}", digest(number % 2)),
    )


def test_several_episodes_have_a_subject_each_and_one_together() -> None:
    parts = tuple(numbered(number) for number in range(3))
    one = several(parts)
    assert (one.kind, one.base_version, one.evidence) == (ProposalKind.ADD_EPISODES, 0, ())
    assert one.subjects == tuple(f"episode/{part.episode.id}" for part in parts)
    assert one.subject == one.proper_subject
    assert one.subject.startswith("episodes/")
    assert len({one.subject, several(parts[::-1]).subject, several(parts[:2]).subject}) == 3
    assert episodes_of(one.change) == parts


def test_what_is_no_several_is_refused() -> None:
    parts = tuple(numbered(number) for number in range(MOST_EPISODES + 1))
    assert len(several(parts[:-1]).subjects) == MOST_EPISODES
    with pytest.raises(
        ValueError, match="number of episodes in the proposal is 65, but must be at least 1 and at most 64"
    ):
        several(parts)
    with pytest.raises(ValueError, match="at least 1"):
        several(())
    with pytest.raises(ValueError, match=r"episodes name .* twice"):
        several((parts[0], parts[1], replace(parts[0], dimension=9)))
    with pytest.raises(ValueError, match="several episodes start from version 0"):
        replace(several(parts[:2]), base_version=1)


def test_a_proposal_rests_on_what_it_cites_and_on_the_trades_of_its_episodes() -> None:
    trades = (Reference("trade/0", digest(0)), Reference("trade/1", digest(1)))
    assert several(tuple(numbered(number) for number in range(4))).references == trades
    assert replace(several((numbered(0),)), evidence=(SOURCE, trades[0])).references == (SOURCE, trades[0])
    one = Proposal(kind=ProposalKind.ADD_EPISODE, subject="it", base_version=0, change=REMEMBER, evidence=(SOURCE,))
    assert one.references == (SOURCE,)
    assert replace(one, change=numbered(1)).references == (SOURCE, trades[1])
    other = proposal(ProposalKind.SET_WEIGHTS)
    assert (other.references, other.subjects, episodes_of(other.change)) == ((SOURCE,), ("it",), ())


def test_what_chance_begins_from_is_nobodys_choice() -> None:
    """Else whoever proposes could try hypotheses until the resampled years are kind."""
    change = MovePattern(
        pattern="dip", stage=Stage.ENABLED, hypothesis="one", variants=4, registered_ns=5, capital_bp=9
    )
    asked = Proposal(kind=ProposalKind.PROMOTE_PATTERN, subject="pattern/dip", base_version=3, change=change)
    for other in (
        replace(asked, change=replace(change, hypothesis="another")),
        replace(asked, change=replace(change, capital_bp=10)),
        replace(asked, change=replace(change, variants=5)),
        replace(asked, claims=(Claim(what="sharpe", value_ppm=3),)),
        replace(asked, evidence=(Reference("trades/dip", digest("more")),)),
    ):
        assert other.seed == asked.seed
    assert replace(asked, base_version=4).seed != asked.seed
    assert replace(asked, subject="pattern/rally").seed != asked.seed
