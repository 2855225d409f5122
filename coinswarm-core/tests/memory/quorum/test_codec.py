"""Records come back from their bytes as they were, and bytes that are nobody's canonical form are refused."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    CHANGES,
    AddEpisode,
    AddEpisodes,
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
)
from coinswarm.memory.quorum import quick
from coinswarm.memory.quorum.codec import ballot_from, envelope_from, envelope_told, read_json, seal_vote_from
from coinswarm.memory.quorum.records import Ballot, Envelope, Head, SealVote

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = some.sampled_from(["trend", "mean-rev", "a/b.2"])
DIGESTS = some.integers(0, 99).map(digest)
COUNTS = some.integers(0, 2**63 - 1)
LINES = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1).filter(str.strip)
REFERENCES = some.builds(Reference, place=NAMES, digest=DIGESTS)
EPISODES = some.builds(
    Episode,
    id=DIGESTS, agent=NAMES, instrument=LINES, side=some.sampled_from([1, -1]), decided_ns=some.just(5),
    known_ns=some.integers(5, 2**62), result_ppm=some.integers(-(2**62), 2**62), risk_ppm=COUNTS,
    stopped=some.booleans(), regime=some.sampled_from(["", "calm"]), quality_bp=some.integers(0, 10_000),
)  # fmt: skip
WEIGHTS = some.lists(some.builds(Weight, agent=NAMES, weight_bp=COUNTS), unique_by=lambda one: one.agent).map(tuple)
REMEMBERED = some.builds(
    AddEpisode, space=NAMES, dimension=some.integers(1, 400), episode=EPISODES, vector_digest=DIGESTS, trade=REFERENCES
)
MAKERS: dict[type[object], some.SearchStrategy[Any]] = {
    AddEpisode: REMEMBERED,
    AddEpisodes: some.builds(
        AddEpisodes,
        episodes=some.lists(REMEMBERED, min_size=1, max_size=4, unique_by=lambda one: one.episode.id).map(tuple),
    ),
    MovePattern: some.builds(
        MovePattern, pattern=NAMES, stage=some.sampled_from(Stage), hypothesis=LINES,
        variants=COUNTS, registered_ns=COUNTS,
    ),
    SetWeights: some.builds(SetWeights, weights=WEIGHTS, rollback_drawdown_bp=some.integers(0, 10_000)),
    SeatAgent: some.builds(SeatAgent, agent=NAMES, certificate=DIGESTS, reason=LINES),
    Configure: some.builds(Configure, key=NAMES, value=LINES),
}  # fmt: skip


@some.composite
def envelopes(draw: some.DrawFn) -> Envelope:
    """Envelopes of every kind of proposal."""
    kind = draw(some.sampled_from(ProposalKind))
    proposal = Proposal(
        kind=kind,
        subject=draw(NAMES),
        base_version=0 if kind is ProposalKind.ADD_EPISODES else draw(COUNTS),
        change=draw(MAKERS[CHANGES[kind]]),
        evidence=tuple(draw(some.lists(REFERENCES, unique_by=lambda one: one.place, max_size=2))),
        claims=tuple(draw(some.lists(some.builds(Claim, what=NAMES, value_ppm=COUNTS), max_size=1))),
    )
    numbers = {name: draw(COUNTS) for name in ("roster", "nonce", "deadline_ns")}
    return Envelope(cluster="north", shard="main", submitter="desk", proposal=proposal, signature="5a", **numbers)


@given(envelopes())
def test_an_envelope_comes_back_as_it_was(envelope: Envelope) -> None:
    again = envelope_told(read_json(envelope.body), envelope.signature, envelope.body)
    assert again == envelope_from(envelope.body, envelope.signature) == envelope
    assert quick.envelope(envelope.body, envelope.signature) in (None, envelope)
    assert replace(again).body == envelope.body
    assert again.id == envelope.id
    assert {type(getattr(again, field.name)) for field in fields(again)} == {
        type(getattr(envelope, field.name)) for field in fields(envelope)
    }


BALLOT = Ballot(
    cluster="north", shard="main", roster=0, proposal=digest(1), accepts=False, findings=digest(2), voter="v0",
    seen=Head(3, digest(3)), signature="5a",
)  # fmt: skip
VOTE = SealVote(cluster="north", shard="main", roster=0, head=Head(3, digest(3)), voter="v0", signature="5a")


def test_ballots_and_seal_votes_come_back_as_they_were() -> None:
    assert ballot_from(BALLOT.body, "5a") == BALLOT
    assert seal_vote_from(VOTE.body, "5a") == VOTE


@pytest.mark.parametrize("read", [envelope_from, ballot_from, seal_vote_from])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff", b'{"proposal":1}'])
def test_what_is_no_record_is_refused(read: Callable[[bytes, str], object], body: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read(body, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"seen_index":3', b'"seen_index": 3'), (b'"voter"', b'"more":1,"voter"'), (b"ballot/1", b"ballot/2")],
)
def test_what_is_not_canonical_is_refused(old: bytes, new: bytes) -> None:
    assert old in BALLOT.body
    with pytest.raises(ValueError, match=r"not in its canonical form|cannot be read"):
        ballot_from(BALLOT.body.replace(old, new), "")
