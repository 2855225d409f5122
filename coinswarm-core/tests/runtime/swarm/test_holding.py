"""Votes that can wait: dropped unread where they are of no use any more, handed over where nobody else decided."""

from __future__ import annotations

from coinswarm.canonical import digest
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.messages import Vote
from coinswarm.memory.quorum.records import START, Ballot, Envelope, Outcome
from coinswarm.memory.quorum.table import Table
from coinswarm.runtime.swarm import holding
from coinswarm.runtime.swarm.holding import HOLD_SECONDS, LONGEST_SECONDS, Holding


def vote(propose: object, nonce: int) -> tuple[str, bytes]:
    """A vote's proposal, and the vote as it travels."""
    assert callable(propose)
    envelope = Envelope(
        cluster="north", shard="main", roster=0, submitter="desk", nonce=nonce, deadline_ns=9, proposal=propose()
    )
    ballot = Ballot(
        cluster="north", shard="main", roster=0, proposal=envelope.id, accepts=True, findings=digest(1), voter="v1",
        seen=START,
    )  # fmt: skip
    return envelope.id, wire.message_bytes(Vote(envelope, ballot))


def test_a_vote_waits_and_is_dropped_where_its_proposal_is_decided(propose: object) -> None:
    (first, one), (_, two) = vote(propose, 1), vote(propose, 2)
    held, none = Holding(), Table[Outcome]()
    held.hold(10.0, one)
    held.hold(10.2, two)
    held.hold(10.3, b"no vote at all")
    assert list(held.due(10.0 + HOLD_SECONDS - 0.01, none)) == []
    assert list(held.due(10.2 + HOLD_SECONDS, none.put(first, Outcome.ACCEPT))) == [two]
    assert list(held.due(99.0, none)) == [b"no vote at all"], "what it is, the reader says"
    assert list(held.due(99.0, none)) == []


def test_while_the_log_grows_votes_wait_longer_but_not_for_ever(propose: object) -> None:
    _, one = vote(propose, 1)
    held, none = Holding(), Table[Outcome]()
    held.hold(10.0, one)
    assert list(held.due(11.0, none, moved=10.9)) == []
    assert list(held.due(10.0 + LONGEST_SECONDS - 0.01, none, moved=11.9)) == []
    assert list(held.due(10.0 + LONGEST_SECONDS, none, moved=11.99)) == [one]
    held.hold(20.0, one)
    assert list(held.due(21.0, none, moved=21.0 - HOLD_SECONDS)) == [one], "it grows no more"


def test_of_too_many_the_oldest_goes() -> None:
    held = Holding()
    for place in range(holding.LIMIT + 2):
        held.hold(0.0, b"%d" % place)
    due = list(held.due(99.0, Table()))
    assert (len(due), due[0]) == (holding.LIMIT, b"2")
