"""Voters that forge, equivocate, replay, and vote for what they should not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.log import Request, Status, decide
from coinswarm.memory.quorum.records import Ballot, Outcome
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT
from coinswarm_testkit.quorum.node import CLUSTER, SHARD, Node

if TYPE_CHECKING:
    from quorum.attacks.conftest import Court


def test_without_an_attack_it_is_accepted_and_the_submitter_hears_of_it(court: Court) -> None:
    envelope = court.envelope(court.fair)
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.ACCEPT
    assert len(court.log.rows.entries[0].proof) == 3
    assert court.ended == {envelope.id: Outcome.ACCEPT}
    assert (court.reports, court.verified()) == ([], "")


def test_forged_ballots_are_worth_nothing(court: Court) -> None:
    """v3 writes REJECT in the names of all others, under its own key, no key, and their own true signatures."""

    def tap(node: Node, message: object) -> list[object]:
        if not isinstance(message, m.Vote) or node is not court.voters[3]:
            return [message]
        forged = []
        for place in range(3):
            true = replace(message.ballot, voter=f"v{place}").signed(court.cast.voters[place])
            forged += [
                court.flipped(true, 3),
                replace(true, accepts=False),
                replace(true, accepts=False, signature=""),
            ]
        return [m.Vote(message.envelope, one) for one in forged]

    court.tap = tap
    envelope = court.envelope(court.fair)
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.ACCEPT
    assert {one.voter for one in court.log.rows.entries[0].proof} == {"v0", "v1", "v2"}
    assert court.reports == [], "a forgery is nobody's double"


def test_an_equivocator_counts_for_nothing_and_is_told_on(court: Court) -> None:
    """v3 says yes and no; v2 is dead: two honest ballots are not three, for everybody who heard both."""
    court.censors = {"v3"}  # it could ask for the decision itself, with two honest ballots and its own first
    court.voters[2].crash()
    court.tap = lambda node, message: (
        [message, m.Vote(message.envelope, court.flipped(message.ballot, 3))]
        if isinstance(message, m.Vote) and node is court.voters[3]
        else [message]
    )
    court.voters[0].paused = True
    envelope = court.envelope(court.fair)
    court.submit(envelope)
    court.voters[0].paused = False
    for event in court.voters[0].backlog:
        court.tell(court.voters[0], event)
    court.later(5)
    assert court.outcome(envelope) is None
    doubles = [one for one in court.reports if isinstance(one, m.Double)]
    assert {one.first.voter for one in doubles} == {"v3"}
    assert all(one.first.matter != one.second.matter for one in doubles)
    court.voters[2].start()
    court.later(5)
    assert court.outcome(envelope) is Outcome.ACCEPT, "with the third honest voter back it is decided without v3"
    assert {one.voter for one in court.log.rows.entries[0].proof} == {"v0", "v1", "v2"}


def test_ballots_of_another_cluster_are_worth_nothing(court: Court) -> None:
    """The same keys vote in a second cluster, where the same proposal is rejected: those ballots are carried over."""
    envelope = court.envelope(court.weights(9_000, 1_000))
    south = replace(envelope, cluster="south", signature="").signed(court.cast.submitter)
    assert south.id != envelope.id
    there = []
    for place, signer in enumerate(court.cast.voters[:3]):
        made = Ballot(
            cluster="south", shard=SHARD, roster=0, proposal=south.id, accepts=True, findings=digest("x"),
            voter=f"v{place}", seen=court.voters[0].state.docket.reader.seen,
        )  # fmt: skip
        there.append(made.signed(signer))
    for proof in (there, [replace(one, cluster=CLUSTER, proposal=envelope.id) for one in there]):
        [answer] = decide(court.log, [Request(envelope=envelope, proof=tuple(proof))], court.cast.scheme)
        assert answer.status is Status.INVALID
        for one in proof:
            for node in [*court.voters, *court.leaders]:
                court.tell(node, m.Vote(envelope, one))
    [answer] = decide(court.log, [Request(envelope=south, proof=tuple(there))], court.cast.scheme)
    assert (answer.status, len(court.log.rows.entries)) == (Status.INVALID, 0), "and its proposals are not ours"
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.REJECT, "by this cluster's own voters"


def test_ballots_under_an_older_roster_are_worth_nothing(court: Court) -> None:
    """An attacker kept three ballots on a proposal that lost its turn, and shows them when the rules have changed."""
    kept: list[m.Vote] = []

    def tap(_: Node, message: object) -> list[object]:
        if isinstance(message, m.Vote) and message.envelope.proposal == court.fair:
            kept.append(message)
            return []
        return [message]

    court.tap = tap
    old = court.envelope(court.fair)
    court.submit(old)
    assert (len(kept), court.outcome(old)) == (4, None)
    court.submit(court.envelope(court.roster_change(rules=digest("stricter"))))
    assert len(court.log.rows.rosters) == 2
    proof = tuple(one.ballot for one in kept[:3])
    new = replace(old, roster=1, signature="").signed(court.cast.submitter)
    [answer] = decide(court.log, [Request(envelope=new, proof=proof)], court.cast.scheme)
    assert answer.status is Status.INVALID
    rewritten = tuple(replace(one, roster=1, proposal=new.id) for one in proof)
    [answer] = decide(court.log, [Request(envelope=new, proof=rewritten)], court.cast.scheme)
    assert answer.status is Status.INVALID
    decide(court.log, [Request(envelope=old, proof=proof)], court.cast.scheme)
    assert court.outcome(old) is Outcome.CONFLICT
    assert court.log.rows.state.keys() == {ROSTER_SUBJECT}


def test_what_is_unsafe_is_rejected_however_fine_its_statistics(court: Court) -> None:
    """The evidence is committed and good; one agent would weigh 90 %. One voter is bought and says yes."""
    court.tap = lambda node, message: (
        [m.Vote(message.envelope, court.flipped(message.ballot, 0))]
        if isinstance(message, m.Vote) and node is court.voters[0]
        else [message]
    )
    envelope = court.envelope(court.weights(9_000, 1_000))
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.REJECT
    assert {one.voter for one in court.log.rows.entries[0].proof} == {"v1", "v2", "v3"}
    assert any(isinstance(about, m.Split) for about in court.reports)
