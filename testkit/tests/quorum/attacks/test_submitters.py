"""Submitters that say two things, flood, and lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.domain.proposal import Reference
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.docket import MOST_OPEN
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.log import Request, Status, decide
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.roster import Seat
from coinswarm_testkit.quorum.scheme import SUBMITTER

if TYPE_CHECKING:
    from quorum.attacks.conftest import Court


def test_a_submitter_that_says_two_things_has_one_accepted_at_most(court: Court) -> None:
    """One nonce, two proposals: each half of the voters sees another one first, and then everybody both."""
    one = court.envelope(court.fair)
    two = replace(one, proposal=replace(court.weights(4_000, 6_000), subject="weights/other"), signature="")
    two = two.signed(court.cast.submitter)
    court.tap = lambda *_: []
    for number, voter in enumerate(court.voters):
        court.tell(voter, m.Propose((one, two)[number % 2]))
    court.tap = lambda _, message: [message]
    for _ in range(5):
        for node in [*court.voters, *court.leaders]:
            court.tell(node, m.Propose(one))
            court.tell(node, m.Propose(two))
        court.later(2)
    reuses = [about for about in court.reports if isinstance(about, m.Reuse)]
    assert reuses
    assert all({about.first.id, about.second.id} == {one.id, two.id} for about in reuses)
    court.later(20)
    outcomes = [court.outcome(one), court.outcome(two)]
    assert outcomes.count(Outcome.ACCEPT) <= 1
    assert None not in outcomes


def test_a_submitter_that_floods_fills_its_own_room_alone_and_loses_nothing(court: Court) -> None:
    """More than one may have open, while no ballot gets through; then all of it is decided, late."""
    flood = [court.envelope(replace(court.fair, subject=f"weights/{place}")) for place in range(MOST_OPEN + 20)]
    court.tap = lambda _, message: [] if isinstance(message, m.Vote) else [message]
    for envelope in flood:
        court.submit(envelope)
    court.later(1)
    parts = [*court.voters, *court.leaders]
    assert {len(part.state.docket.cases) for part in parts} == {MOST_OPEN}
    assert court.reports == [m.Crowd(SUBMITTER)] * len(parts)
    court.tap = lambda _, message: [message]
    court.later(15)
    assert {court.outcome(envelope) for envelope in flood} == {Outcome.ACCEPT}


def test_who_lies_about_the_evidence_is_rejected_by_everybody(court: Court) -> None:
    """Splendid claims, and a reference to returns that nobody committed."""
    envelope = court.envelope(
        court.weights(5_000, 5_000, source=Reference("returns/trend", digest("better ones")), claim=9_000_000)
    )
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.REJECT
    assert {one.accepts for one in court.log.rows.entries[0].proof} == {False}


def test_claims_change_nothing(court: Court) -> None:
    """The same proposal with and without splendid numbers: the findings that are signed are the same."""
    modest, proud = (
        court.envelope(court.weights(9_000, 1_000)),
        court.envelope(court.weights(9_000, 1_000, claim=9_000_000)),
    )
    court.submit(modest)
    court.submit(proud)
    proofs = [entry.proof for entry in court.log.rows.entries]
    assert len({ballot.findings for proof in proofs for ballot in proof}) == 1
    assert court.outcome(proud) is Outcome.REJECT


def test_a_submitter_whose_seat_was_taken_adds_nothing_to_the_log(court: Court) -> None:
    """Signed for the roster that seated it, each proposal would be an entry for ever: a conflict with the next one."""
    before = [court.envelope(replace(court.fair, subject=f"weights/{place}")) for place in range(3)]
    other = Ed25519Signer(b"o" * 32)
    court.submit(court.envelope(court.roster_change(submitters=(Seat("other", other.key),))))
    assert court.log.rows.rosters[-1].submitter_keys.keys() == {"other"}
    entries = court.log.rows.head.index
    for envelope in before:
        for node in (*court.voters, *court.leaders):
            court.tell(node, m.Propose(envelope))
        assert decide(court.log, [Request(envelope=envelope)], court.cast.scheme)[0].status is Status.INVALID
    court.later(30)
    assert court.log.rows.head.index == entries
    assert not any(node.state.docket.cases for node in court.voters)
    assert court.verified() == ""


def test_nobody_makes_another_message_out_of_an_honest_one(court: Court) -> None:
    """The same signature in capitals, or with spaces: who heard that first would know no other."""
    envelope = court.envelope(court.fair)
    for voter in court.voters:
        for spelled in (envelope.signature.upper(), f" {envelope.signature}", f"{envelope.signature}\t"):
            court.tell(voter, m.Propose(replace(envelope, signature=spelled)))
        assert not voter.state.docket.cases
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.ACCEPT
