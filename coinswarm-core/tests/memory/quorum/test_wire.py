"""Bytes: what is written is told back whole, and bytes that say the same in another way are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    CHANGES,
    MOST_EPISODES,
    AddEpisode,
    AddEpisodes,
    Change,
    Claim,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    SetWeights,
    Stage,
    Weight,
    several,
)
from coinswarm.memory.quorum import codec, wire
from coinswarm.memory.quorum.messages import Notice, Propose, Vote
from coinswarm.memory.quorum.records import Head, Seal, SealVote

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster

    from coinswarm.memory.quorum.messages import Message

REFERENCE = Reference("trades/a", digest("a"))
EPISODE = Episode(
    id=digest("e"), agent="trend", instrument="BTC/USD", side=-1, decided_ns=5, known_ns=7, result_ppm=-3, regime="calm"
)
REMEMBER = AddEpisode(space="trend/state.1", dimension=8, episode=EPISODE, vector_digest=digest("v"), trade=REFERENCE)
SAMPLES: dict[type, Change] = {
    AddEpisode: REMEMBER,
    AddEpisodes: AddEpisodes(episodes=(REMEMBER, replace(REMEMBER, episode=replace(EPISODE, id=digest("f"))))),
    MovePattern: MovePattern(pattern="dip", stage=Stage.SHADOW, hypothesis='Größer: "ja"', variants=3, registered_ns=9),
    SetWeights: SetWeights(weights=(Weight("trend", 6_000), Weight("meanrev", 4_000)), rollback_drawdown_bp=300),
    SeatAgent: SeatAgent(agent="trend", certificate=digest("c"), reason="gold"),
}


def proposals(cluster: Cluster) -> list[Proposal]:
    """One of every kind."""
    found = []
    for kind, change in CHANGES.items():
        what = SAMPLES.get(change) or cluster.proposal("3").change
        cited = (REFERENCE,) if kind is ProposalKind.ADD_EPISODE else ()
        claims = (Claim(what="sharpe", value_ppm=-1),)
        base = 0 if kind is ProposalKind.ADD_EPISODES else 2
        found.append(Proposal(kind=kind, subject="a/b", base_version=base, change=what, evidence=cited, claims=claims))
    return found


def messages(cluster: Cluster) -> list[Message]:
    """One of every kind, proposals of every kind."""
    made: list[Message] = []
    for proposal in proposals(cluster):
        envelope = cluster.envelope(proposal)
        made += [Propose(envelope), Vote(envelope, cluster.ballot(envelope, 1, accepts=False))]
    vote = SealVote(cluster="north", shard="main", roster=0, head=Head(5, digest(5)), voter="v1")
    return [*made, Notice(Head(3, digest(3))), vote.signed(cluster.signers[1])]


def test_every_message_is_told_back(cluster: Cluster) -> None:
    for message in messages(cluster):
        data = wire.message_bytes(message)
        told = wire.message_from(data)
        assert told == message
        assert wire.message_bytes(told) == data
        if isinstance(told, Propose):
            assert isinstance(message, Propose)
            assert replace(told.envelope).body == message.envelope.body, "spelled anew, it is the same"


def test_the_most_episodes_with_the_longest_names_are_carried(cluster: Cluster) -> None:
    """In a vote, which is longest, after a signature of the largest batch."""
    name, number = "a" * 128, (1 << 63) - 1
    episode = Episode(
        id=digest(0), agent=name, instrument=name, side=-1, decided_ns=number, known_ns=number, result_ppm=-number,
        risk_ppm=number, stopped=False, regime=name, quality_bp=10_000,
    )  # fmt: skip
    one = AddEpisode(
        space=name, dimension=4_096, episode=episode, vector_digest=digest("v"), trade=Reference(name, digest(1))
    )
    parts = tuple(replace(one, episode=replace(episode, id=digest(place))) for place in range(MOST_EPISODES))
    signature = f"{'5a' * 64}:3:65536:{'0f' * 32 * 16}"
    envelope = replace(cluster.envelope(several(parts)), signature=signature)
    vote = Vote(envelope, replace(cluster.ballot(envelope, 1), signature=signature))
    data = wire.message_bytes(vote)
    assert len(data) < wire.LIMIT / 2
    assert wire.message_from(data) == vote
    told = wire.Decoder().message(wire.message_bytes(Propose(envelope)))
    assert isinstance(told, Propose)
    assert told.envelope is wire.Decoder().message(data).envelope, "long ones are read once too"  # type: ignore[union-attr]


def test_seals_and_votes_on_known_proposals_are_told_back(cluster: Cluster) -> None:
    votes = tuple(
        SealVote(cluster="north", shard="main", roster=0, head=Head(5, digest(5)), voter=f"v{number}").signed(signer)
        for number, signer in enumerate(cluster.signers[:3])
    )
    seal = Seal(Head(5, digest(5)), votes)
    assert wire.seal_from(wire.seal_bytes(seal)) == seal
    decoder, alone = wire.Decoder(limit=3), wire.Decoder(limit=0)
    for message in (*messages(cluster), *messages(cluster)):
        data = wire.message_bytes(message)
        assert decoder.message(data) == alone.message(data) == message
        assert decoder.message(data) is decoder.message(data)
        for bad in (data[:-1], data + b" ", data.replace(b'"voter":"v1"', b'"voter": "v1"'), b"{}"):
            if bad != data:
                with pytest.raises(wire.MalformedError):
                    decoder.message(bad)


@pytest.mark.parametrize("signature", ["5a" * 64, f"{'5a' * 64}:3:64:{'0f' * 192}"])
def test_what_comes_again_is_the_same_record(cluster: Cluster, signature: str) -> None:
    for proposal in proposals(cluster):
        envelope = replace(cluster.envelope(proposal), signature=signature)
        ballot = replace(cluster.ballot(envelope, 1), signature=f"{signature}0")
        told = wire.message_from(wire.message_bytes(Propose(envelope)))
        again = wire.message_from(wire.message_bytes(Vote(envelope, ballot)))
        assert isinstance(told, Propose)
        assert isinstance(again, Vote)
        assert told.envelope is again.envelope is codec.envelope_from(envelope.body, signature)
        assert again.ballot is codec.ballot_from(ballot.body, ballot.signature)
        assert (again.envelope, again.ballot) == (envelope, ballot)


@pytest.mark.parametrize("signature", ["", "Größe", 'a"b', "a\\b", "a\nb"])
def test_a_signature_that_is_none_is_told_back_too(cluster: Cluster, signature: str) -> None:
    """That it signs nothing is for ``keys`` to say."""
    envelope = replace(cluster.envelope(), signature=signature)
    assert wire.message_from(wire.message_bytes(Propose(envelope))) == Propose(envelope)


def damaged(data: bytes, *path: str | int, value: object) -> bytes:
    """Canonical JSON with one value replaced."""
    told = json.loads(data)
    place = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return codec.dumped(told)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "coinswarm.propose/2"),
        (("schema",), 7),
        (("more",), 1),
        (("envelope",), []),
        (("envelope", "signature"), 1),
        (("envelope", "body", "schema"), "coinswarm.ballot/1"),
        (("envelope", "body", "nonce"), True),
        (("envelope", "body", "nonce"), 1.0),
        (("envelope", "body", "deadline_ns"), 1 << 63),
        (("envelope", "body", "cluster"), None),
        (("envelope", "body", "proposal", "kind"), "conquer"),
        (("envelope", "body", "proposal", "kind"), "set_weights"),
        (("envelope", "body", "proposal", "subject"), "No Name"),
        (("envelope", "body", "proposal", "evidence"), {}),
        (("envelope", "body", "proposal", "change", "value"), 5),
        (("envelope", "body", "proposal", "base_version"), "0"),
    ],
)
def test_what_says_something_else_is_malformed(cluster: Cluster, path: tuple[str, ...], value: object) -> None:
    data = wire.message_bytes(Propose(cluster.envelope()))
    with pytest.raises(wire.MalformedError) as caught:
        wire.message_from(damaged(data, *path, value=value))
    assert "\n" not in str(caught.value)


def test_one_spelling_only(cluster: Cluster) -> None:
    """Else one content would have two bodies, and with them two ids."""
    data = wire.message_bytes(Propose(cluster.envelope()))
    spelled = [data.replace(b":", b": ", 1), data + b"\n", data.replace(b"north", b"n\\u006frth"), data[:-1]]
    twice = data.replace(b'{"envelope"', b'{"envelope":1,"envelope"', 1)
    for other in (*spelled, twice, b"", b"\xff", b"[" * 100_000, b"NaN", b'"\\ud800"', b"1" * 5_000):
        with pytest.raises(wire.MalformedError):
            wire.message_from(other)


def test_a_long_message_is_not_even_read() -> None:
    with pytest.raises(wire.MalformedError, match="at most"):
        wire.message_from(b'"' + b"a" * wire.LIMIT + b'"')


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_it(data: bytes) -> None:
    with pytest.raises(wire.MalformedError):
        wire.message_from(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # what it has made before changes nothing
@given(data=st.data())
def test_damage_is_malformed_or_another_message(cluster: Cluster, data: st.DataObject) -> None:
    """Never another error, and never the same record from other bytes."""
    cluster.nonce = 0  # the same messages in every example
    message = data.draw(st.sampled_from(messages(cluster)))
    good = wire.message_bytes(message)
    place = data.draw(st.integers(0, len(good) - 1))
    bad = good[:place] + data.draw(st.binary(min_size=0, max_size=2)) + good[place + 1 :]
    try:
        told = wire.message_from(bad)
    except wire.MalformedError:
        return
    assert (told == message) == (bad == good)


def test_whatever_proposal_is_read_its_vote_is_read_too(cluster: Cluster) -> None:
    """A voter that could not read its own disk again would be lost."""
    size = len(cluster.envelope(cluster.proposal("")).body)
    envelope = cluster.envelope(cluster.proposal("x" * (codec.BODY_LIMIT - size)))
    longest = replace(envelope, signature="a" * codec.SIGNATURE_LIMIT)
    ballot = replace(cluster.ballot(envelope, 1), signature="a" * codec.SIGNATURE_LIMIT)
    assert len(envelope.body) == codec.BODY_LIMIT
    vote = Vote(longest, ballot)
    assert wire.message_from(wire.message_bytes(vote)) == vote


@pytest.mark.parametrize("more", [0, 1, codec.LIMIT])
def test_what_is_longer_is_malformed(cluster: Cluster, more: int) -> None:
    size = len(cluster.envelope(cluster.proposal("")).body)
    long = cluster.envelope(cluster.proposal("x" * (codec.BODY_LIMIT - size + 1 + more)))
    padded = replace(cluster.envelope(), signature="a" * (codec.SIGNATURE_LIMIT + 1 + more))
    for message in (Propose(long), Propose(padded), Vote(padded, cluster.ballot(padded, 1))):
        with pytest.raises(codec.MalformedError):
            wire.message_from(wire.message_bytes(message))


@pytest.mark.parametrize("verdict", [[], {}, 7, None, "MAYBE"])
def test_a_verdict_that_is_none_is_malformed(cluster: Cluster, verdict: object) -> None:
    envelope = cluster.envelope()
    told = json.loads(wire.message_bytes(Vote(envelope, cluster.ballot(envelope, 1))))
    told["ballot"]["body"]["verdict"] = verdict
    with pytest.raises(codec.MalformedError, match=r"verdict|ballot"):
        wire.message_from(codec.dumped(told))
