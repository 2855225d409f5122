"""Coordinators that censor, lead at once, and come back too late."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.log import Request, Status, decide, take
from coinswarm.memory.quorum.records import Outcome

if TYPE_CHECKING:
    from quorum.attacks.conftest import Court


def test_requests_of_an_older_epoch_are_fenced(court: Court) -> None:
    """An expiry asked for in epoch 1 arrives when epoch 2 has begun."""
    court.tap = lambda _, message: [] if isinstance(message, m.Vote) else [message]
    envelope = court.envelope(court.fair)
    court.submit(envelope)
    assert court.log.rows.lease.epoch == 1
    for leader in court.leaders:
        leader.paused = True
    court.now += 21 * court.SECOND
    assert take(court.log, "c1").epoch == 2
    [answer] = decide(court.log, [Request(envelope=envelope, epoch=1)], court.cast.scheme)
    assert (answer.status, court.outcome(envelope)) == (Status.FENCED, None)
    [answer] = decide(court.log, [Request(envelope=envelope, epoch=2)], court.cast.scheme)
    assert court.outcome(envelope) is Outcome.EXPIRED


def test_a_coordinator_that_censors_costs_two_seconds(court: Court) -> None:
    """Both coordinators keep silent, and the lease; the voters decide without it."""
    court.censors = {"c0", "c1"}
    envelope, begin = court.envelope(court.fair), court.now
    court.submit(envelope)
    assert court.outcome(envelope) is None
    while court.outcome(envelope) is None:
        court.later(1)
    assert court.now - begin <= 3 * court.SECOND
    assert court.log.rows.lease.holder == "c0"
    assert (len(court.log.rows.entries), court.outcome(envelope)) == (1, Outcome.ACCEPT)


def test_two_coordinators_that_both_believe_to_lead_decide_once(court: Court) -> None:
    one, two = court.leaders
    two.state = two.state._replace(lease=replace(one.state.lease, holder="c1", epoch=1))
    assert one.state.epoch == two.state.epoch == 1
    envelopes = [court.envelope(replace(court.fair, subject=f"weights/{number}")) for number in range(5)]
    for envelope in envelopes:
        court.submit(envelope)
    court.later(5)
    assert [court.outcome(envelope) for envelope in envelopes] == [Outcome.ACCEPT] * 5
    assert [entry.index for entry in court.log.rows.entries] == [1, 2, 3, 4, 5]
    assert (court.verified(), [node.name for node in court.nodes if node.halted]) == ("", [])


def test_a_coordinator_resumed_past_its_lease_expires_and_reconfigures_nothing(court: Court) -> None:
    """It holds ballots for a new roster and a proposal past its deadline, and wakes up believing that it leads."""
    leader = court.leaders[0]
    assert leader.state.epoch == 1
    court.censors = {"c1"}
    court.tap = lambda _, message: (
        [] if isinstance(message, m.Vote) and message.envelope.proposal == court.fair else [message]
    )
    lost = court.envelope(court.fair, deadline_ns=court.now + 5 * court.SECOND)
    court.submit(lost)
    leader.paused = True
    change = court.envelope(court.roster_change(rules=digest("stricter")))
    court.submit(change)
    court.later(8)
    assert court.log.rows.lease.holder == "c1"
    assert court.outcome(change) is None, "it takes the lease, whose holder keeps silent"
    leader.paused = False
    for event in leader.backlog:
        court.tell(leader, event)
    court.tell(leader, m.Tick())
    assert [court.outcome(lost), court.outcome(change)] == [None, None]
    assert leader.state.epoch == 0
    court.censors = set()
    court.later(3)
    assert [court.outcome(lost), court.outcome(change)] == [Outcome.EXPIRED, Outcome.ACCEPT]
    assert {entry.epoch for entry in court.log.rows.entries} == {court.log.rows.lease.epoch}
