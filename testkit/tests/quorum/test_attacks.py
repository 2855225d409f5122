"""Scripted attacks: random faults are weak adversaries. Real keys, real parts, and one attacker with a plan."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from coinswarm.canonical import digest
from coinswarm.domain.acceptance import AcceptanceRules, DailyReturns, Evidence, Rule, Verdict, mandatory
from coinswarm.domain.proposal import (
    ROSTER_KEY,
    Claim,
    Configure,
    Proposal,
    ProposalKind,
    Reference,
    SetWeights,
    Weight,
)
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.docket import MOST_OPEN
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.inmemory import MemoryLog
from coinswarm.memory.quorum.log import Request, Status, decide, renew, take
from coinswarm.memory.quorum.records import Ballot, Envelope, Outcome
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT
from coinswarm.memory.quorum.verify import verify
from coinswarm_testkit.quorum.index import Index
from coinswarm_testkit.quorum.node import CLUSTER, SHARD, Node
from coinswarm_testkit.quorum.scheme import SUBMITTER, cast

SECOND = 1_000_000_000
RETURNS = DailyReturns(
    agent="trend",
    source=Reference("returns/trend", digest("returns of trend")),
    first_day=20_000,
    returns_ppm=(900, -100) * 100,
)
"""What is committed. Nobody who votes looks anywhere else."""


class Court:
    """Four voters, two coordinators, one submitter, one log, and a bus that a test may tap.

    :ivar tap: what becomes of a message: given sender and message, the messages that go out instead.
    :ivar censors: names of coordinators whose requests never reach the log.
    """

    def __init__(self) -> None:
        self.cast = cast(4, 1, real=True)
        self.now = 1_000 * SECOND
        self.log = MemoryLog(CLUSTER, SHARD, self.cast.roster, lambda: self.now)
        self.voters = [Node("voter", place, self.cast, 1) for place in range(4)]
        self.leaders = [Node("coordinator", place, self.cast, 1) for place in range(2)]
        self.desk = Node("submitter", 0, self.cast, 1)
        self.nodes = [*self.voters, *self.leaders, self.desk]
        self.tap: Any = lambda _, message: [message]
        self.censors: set[str] = set()
        self.reports: list[Any] = []
        self.ended: dict[str, Outcome] = {}
        self.seals: list[Any] = []
        self.nonce = 0
        self.later(3)

    def envelope(self, proposal: Proposal, **fields: object) -> Envelope:
        """A proposal, signed by the submitter."""
        self.nonce += 1
        given: dict[str, Any] = {
            "cluster": CLUSTER, "shard": SHARD, "roster": len(self.log.rows.rosters) - 1, "submitter": SUBMITTER,
            "nonce": self.nonce, "deadline_ns": self.now + 20 * SECOND, "proposal": proposal,
        }  # fmt: skip
        return Envelope(**{**given, **fields}).signed(self.cast.submitter)

    def submit(self, envelope: Envelope) -> None:
        """Have the honest submitter propose."""
        self.tell(self.desk, m.Submit(envelope))

    def outcome(self, envelope: Envelope) -> Outcome | None:
        """How it ended."""
        found = self.log.rows.decisions.get(envelope.id)
        return found[0] if found else None

    def later(self, seconds: int) -> None:
        """Let time pass, with a tick each second."""
        for _ in range(seconds):
            self.now += SECOND
            for node in self.nodes:
                if node.up and not node.paused:
                    self.tell(node, m.Tick())

    def tell(self, node: Node, event: object) -> None:
        """Hand over an event, and everything that comes of it, until nothing does."""
        waiting = deque([(node, event)])
        while waiting:
            node, event = waiting.popleft()
            if not node.up:
                continue
            if node.paused:
                node.backlog.append(event)
                continue
            node.state, effects = node.step(node.state, event, self.now)
            for effect in effects:
                waiting.extend(self.carry(node, effect))

    def carry(  # noqa: C901, PLR0911 - one arm per effect
        self, node: Node, effect: object
    ) -> list[tuple[Node, object]]:
        """Carry out an effect; the events that come of it."""
        match effect:
            case m.Send(message):
                others = [one for one in self.nodes if one is not node]
                return [(one, said) for said in self.tap(node, message) for one in others]
            case m.Evaluate(envelope):
                verdict, evidence = judge(envelope.proposal)
                return [(node, m.Evaluated(envelope.id, verdict.accepts, findings(verdict, evidence)))]
            case m.Keep(message, seen):
                kept = node.disk.keep(message)
                node.disk.remember(seen)
                return [(node, m.Kept(kept))]
            case m.Remember(seen):
                node.disk.remember(seen)
            case m.ReadLog(token, after):
                return [(node, self.log.read(token, after, 100))]
            case m.Decide(requests):
                answers = () if node.name in self.censors else decide(self.log, requests, self.cast.scheme)
                return [(node, m.Answered(answers))]
            case m.TakeLease():
                return [(node, m.Leased(take(self.log, node.name)))]
            case m.RenewLease(epoch):
                return [(node, m.Leased(renew(self.log, node.name, epoch)))]
            case m.KeepSeal(seal):
                self.seals.append(seal)
            case m.Ended(envelope, outcome):
                self.ended[envelope.id] = outcome
            case m.Report(about):
                self.reports.append(about)
        return []

    def verified(self) -> str:
        """What verification finds wrong with the log."""
        rows = self.log.rows
        return verify(
            genesis(CLUSTER, SHARD, self.cast.roster), rows.entries, rows.head, self.cast.scheme, self.seals
        ).why


def judge(proposal: Proposal) -> tuple[Verdict, Evidence]:
    """What every honest seat does: all mandatory rules, on numbers worked out from committed data."""
    cited = [one for one in proposal.evidence if one == RETURNS.source]
    evidence = Evidence(
        now_ns=0, version=proposal.base_version, rules=AcceptanceRules(), returns=(RETURNS,) if cited else ()
    )
    judged = dict.fromkeys(mandatory(proposal), "")
    if len(cited) != len(proposal.evidence):
        judged[Rule.EVIDENCE] = "what is cited is not what is committed"
    if isinstance(proposal.change, SetWeights):
        heaviest = max(weight.weight_bp for weight in proposal.change.weights)
        if heaviest > evidence.rules.max_weight_bp:
            judged[Rule.CAP] = f"one agent weighs {heaviest:,} bp"
        mean = sum(RETURNS.returns_ppm) / len(RETURNS.returns_ppm)
        if not cited or mean <= 0:
            judged[Rule.BETTER] = "nothing that is committed says so"
    return Verdict.of(judged), evidence


def weights(*shares: int, source: Reference = RETURNS.source, claim: int = 0) -> Proposal:
    """A proposal of weights."""
    change = SetWeights(
        weights=tuple(Weight(f"agent-{number}", share) for number, share in enumerate(shares)), rollback_drawdown_bp=500
    )
    return Proposal(
        kind=ProposalKind.SET_WEIGHTS, subject="weights", base_version=0, change=change, evidence=(source,),
        claims=(Claim(what="sharpe-annual", value_ppm=claim),),
    )  # fmt: skip


FAIR = weights(5_000, 5_000)


@pytest.fixture
def court() -> Court:
    return Court()


def flipped(court: Court, ballot: Ballot, signer: int) -> Ballot:
    """The other verdict, signed by a voter."""
    return replace(ballot, accepts=not ballot.accepts).signed(court.cast.voters[signer])


def test_without_an_attack_it_is_accepted_and_the_submitter_hears_of_it(court: Court) -> None:
    envelope = court.envelope(FAIR)
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
                flipped(court, true, 3),
                replace(true, accepts=False),
                replace(true, accepts=False, signature=""),
            ]
        return [m.Vote(message.envelope, one) for one in forged]

    court.tap = tap
    envelope = court.envelope(FAIR)
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.ACCEPT
    assert {one.voter for one in court.log.rows.entries[0].proof} == {"v0", "v1", "v2"}
    assert court.reports == [], "a forgery is nobody's double"


def test_an_equivocator_counts_for_nothing_and_is_told_on(court: Court) -> None:
    """v3 says yes and no; v2 is dead: two honest ballots are not three, for everybody who heard both."""
    court.censors = {"v3"}  # it could ask for the decision itself, with two honest ballots and its own first
    court.voters[2].crash()
    court.tap = lambda node, message: (
        [message, m.Vote(message.envelope, flipped(court, message.ballot, 3))]
        if isinstance(message, m.Vote) and node is court.voters[3]
        else [message]
    )
    court.voters[0].paused = True
    envelope = court.envelope(FAIR)
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
    envelope = court.envelope(weights(9_000, 1_000))
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


def roster_change(court: Court, rules: str) -> Proposal:
    """A proposal for the next roster."""
    now = court.log.rows.rosters[-1]
    text = replace(now, version=now.version + 1, rules=rules).text()
    return Proposal(
        kind=ProposalKind.CONFIGURE,
        subject=ROSTER_SUBJECT,
        base_version=now.version,
        change=Configure(ROSTER_KEY, text),
    )


def test_ballots_under_an_older_roster_are_worth_nothing(court: Court) -> None:
    """An attacker kept three ballots on a proposal that lost its turn, and shows them when the rules have changed."""
    kept: list[m.Vote] = []

    def tap(_: Node, message: object) -> list[object]:
        if isinstance(message, m.Vote) and message.envelope.proposal == FAIR:
            kept.append(message)
            return []
        return [message]

    court.tap = tap
    old = court.envelope(FAIR)
    court.submit(old)
    assert (len(kept), court.outcome(old)) == (4, None)
    court.submit(court.envelope(roster_change(court, digest("stricter"))))
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


def test_requests_of_an_older_epoch_are_fenced(court: Court) -> None:
    """An expiry asked for in epoch 1 arrives when epoch 2 has begun."""
    court.tap = lambda _, message: [] if isinstance(message, m.Vote) else [message]
    envelope = court.envelope(FAIR)
    court.submit(envelope)
    assert court.log.rows.lease.epoch == 1
    for leader in court.leaders:
        leader.paused = True
    court.now += 21 * SECOND
    assert take(court.log, "c1").epoch == 2
    [answer] = decide(court.log, [Request(envelope=envelope, epoch=1)], court.cast.scheme)
    assert (answer.status, court.outcome(envelope)) == (Status.FENCED, None)
    [answer] = decide(court.log, [Request(envelope=envelope, epoch=2)], court.cast.scheme)
    assert court.outcome(envelope) is Outcome.EXPIRED


def test_a_submitter_that_says_two_things_has_one_accepted_at_most(court: Court) -> None:
    """One nonce, two proposals: each half of the voters sees another one first, and then everybody both."""
    one = court.envelope(FAIR)
    two = replace(one, proposal=replace(weights(4_000, 6_000), subject="weights/other"), signature="")
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
    flood = [court.envelope(replace(FAIR, subject=f"weights/{place}")) for place in range(MOST_OPEN + 20)]
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
        weights(5_000, 5_000, source=Reference("returns/trend", digest("better ones")), claim=9_000_000)
    )
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.REJECT
    assert {one.accepts for one in court.log.rows.entries[0].proof} == {False}


def test_claims_change_nothing(court: Court) -> None:
    """The same proposal with and without splendid numbers: the findings that are signed are the same."""
    modest, proud = court.envelope(weights(9_000, 1_000)), court.envelope(weights(9_000, 1_000, claim=9_000_000))
    court.submit(modest)
    court.submit(proud)
    proofs = [entry.proof for entry in court.log.rows.entries]
    assert len({ballot.findings for proof in proofs for ballot in proof}) == 1
    assert court.outcome(proud) is Outcome.REJECT


def test_what_is_unsafe_is_rejected_however_fine_its_statistics(court: Court) -> None:
    """The evidence is committed and good; one agent would weigh 90 %. One voter is bought and says yes."""
    court.tap = lambda node, message: (
        [m.Vote(message.envelope, flipped(court, message.ballot, 0))]
        if isinstance(message, m.Vote) and node is court.voters[0]
        else [message]
    )
    envelope = court.envelope(weights(9_000, 1_000))
    court.submit(envelope)
    assert court.outcome(envelope) is Outcome.REJECT
    assert {one.voter for one in court.log.rows.entries[0].proof} == {"v1", "v2", "v3"}
    assert any(isinstance(about, m.Split) for about in court.reports)


def test_a_coordinator_that_censors_costs_two_seconds(court: Court) -> None:
    """Both coordinators keep silent, and the lease; the voters decide without it."""
    court.censors = {"c0", "c1"}
    envelope, begin = court.envelope(FAIR), court.now
    court.submit(envelope)
    assert court.outcome(envelope) is None
    while court.outcome(envelope) is None:
        court.later(1)
    assert court.now - begin <= 3 * SECOND
    assert court.log.rows.lease.holder == "c0"
    assert (len(court.log.rows.entries), court.outcome(envelope)) == (1, Outcome.ACCEPT)


def test_two_coordinators_that_both_believe_to_lead_decide_once(court: Court) -> None:
    one, two = court.leaders
    two.state = two.state._replace(lease=replace(one.state.lease, holder="c1", epoch=1))
    assert one.state.epoch == two.state.epoch == 1
    envelopes = [court.envelope(replace(FAIR, subject=f"weights/{number}")) for number in range(5)]
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
        [] if isinstance(message, m.Vote) and message.envelope.proposal == FAIR else [message]
    )
    lost = court.envelope(FAIR, deadline_ns=court.now + 5 * SECOND)
    court.submit(lost)
    leader.paused = True
    change = court.envelope(roster_change(court, digest("stricter")))
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


def test_a_restored_backup_stops_everybody_and_nothing_is_decided_any_more(court: Court) -> None:
    backup = court.log.rows.copy()
    first = court.envelope(FAIR)
    court.submit(first)
    court.later(2)
    court.log.rows = backup
    second = court.envelope(replace(FAIR, subject="weights/other"))
    court.submit(second)
    court.later(5)
    assert [node.name for node in (*court.voters, *court.leaders) if not node.halted] == []
    assert len([about for about in court.reports if isinstance(about, m.Halted) and "split-brain" in about.why]) >= 6
    assert not court.log.rows.entries
    for voter in court.voters:
        voter.crash()
        voter.start()
    court.later(30)
    assert not court.log.rows.entries, "nor after everybody was started again"


def test_an_edited_row_is_named_and_stops_who_starts_from_it(court: Court) -> None:
    for base in range(3):
        court.submit(court.envelope(replace(FAIR, base_version=base)))
    entries = court.log.rows.entries
    assert len(entries) == 3
    other = replace(entries[1].envelope, proposal=replace(weights(9_000, 1_000), base_version=1))
    entries[1] = replace(entries[1], envelope=other.signed(court.cast.submitter))
    assert court.verified() == "entry 2 of the log carries ballots that are no commit proof"
    court.voters[0].crash()
    court.voters[0].start()
    court.later(2)
    assert court.voters[0].halted


@pytest.mark.parametrize("loss", ["flush", "stale-index", "other-index"])
def test_an_index_that_is_lost_set_back_or_anothers_is_the_fold_of_the_log_again(court: Court, loss: str) -> None:
    index = Index(court.cast)
    accepted = {}
    for number in range(4):
        envelope = court.envelope(replace(FAIR, subject=f"weights/{number}"))
        court.submit(envelope)
        accepted[envelope.proposal.subject] = envelope.id
        index.follow(court.log)
        if number == 1:
            index.save()
    court.submit(court.envelope(replace(weights(9_000, 1_000), subject="weights/unsafe")))
    index.lose(loss)
    assert index.rows != accepted
    index.follow(court.log)
    assert (index.rows, index.applied) == (accepted, court.log.rows.head)
