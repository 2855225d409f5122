"""A coordinator: asks for what is proven, at once while it holds the lease, later while another does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.memory.quorum import coordinator as coordinators
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.docket import TAKEOVER_NS
from coinswarm.memory.quorum.log import LEASE_NS, decide, renew, take
from coinswarm.memory.quorum.proof import seals
from coinswarm.memory.quorum.records import Head, SealVote

if TYPE_CHECKING:
    from memory.quorum.conftest import Cluster

SECOND = 1_000_000_000


class Leader:
    """A coordinator with its effects collected; the log answers at once unless it is ``away``."""

    def __init__(self, cluster: Cluster, place: int = 0, **fields: object) -> None:
        self.cluster, self.now, self.away = cluster, 1_000, False
        self.name = f"c{place}"
        self.state = coordinators.start(
            self.name,
            "north",
            "main",
            cluster.roster,
            cluster.scheme,
            place=place,
            candidates=2,
            **fields,  # type: ignore[arg-type]
        )

    def tell(self, *events: object) -> list[m.Effect]:
        """What it wants done; what the log can answer is answered too."""
        wanted: list[m.Effect] = []
        waiting = list(events)
        while waiting:
            self.state, effects = coordinators.step(self.state, waiting.pop(0), self.now)  # type: ignore[arg-type]
            for effect in effects:
                wanted.append(effect)
                answer = None if self.away else self.answer(effect)
                if answer is not None:
                    waiting.insert(0, answer)
        return [one for one in wanted if not isinstance(one, (m.ReadLog, m.Remember))]

    def tell_raw(self, event: object) -> tuple[m.Effect, ...]:
        """One event; all that it wants done, and nothing is answered."""
        self.state, effects = coordinators.step(self.state, event, self.now)  # type: ignore[arg-type]
        return effects

    def answer(self, effect: m.Effect) -> object:
        """What the log says."""
        log = self.cluster.log
        match effect:
            case m.ReadLog(token, after):
                return log.read(token, after, 100)
            case m.TakeLease():
                return m.Leased(take(log, self.name))
            case m.RenewLease(epoch):
                return m.Leased(renew(log, self.name, epoch))
            case m.Decide(requests):
                return m.Answered(decide(log, requests, self.cluster.scheme))
            case _:
                return None

    def later(self, ns: int) -> list[m.Effect]:
        """A tick after a while, by both clocks."""
        self.now += ns
        self.cluster.now += ns
        return self.tell(m.Tick())


def test_the_first_takes_the_lease_and_the_next_waits_for_its_turn(cluster: Cluster) -> None:
    one, two = Leader(cluster, 0), Leader(cluster, 1)
    one.tell(m.Tick())
    assert one.later(SECOND) == [m.TakeLease()]
    assert one.state.epoch == 1
    assert one.later(SECOND) == [m.RenewLease(1)]
    two.tell(m.Tick(), m.Tick())
    assert two.state.epoch == 0
    assert two.state.lease.holder == "c0"
    two.later(LEASE_NS)
    two.later(2 * SECOND)
    assert two.state.epoch == 2


def test_three_ballots_are_decided_at_once_and_told(cluster: Cluster) -> None:
    leader, envelope = Leader(cluster), cluster.envelope()
    leader.tell(m.Tick(), m.Tick())
    ballots = cluster.proof(envelope)
    assert leader.tell(m.Propose(envelope), *(m.Vote(envelope, one) for one in ballots[:2])) == []
    decide_, notice = leader.tell(m.Vote(envelope, ballots[2]))
    assert isinstance(decide_, m.Decide)
    assert notice == m.Send(m.Notice(cluster.log.rows.head))
    assert cluster.log.rows.head.index == 1
    assert len(leader.state.docket.cases) == 0
    assert leader.tell(m.Vote(envelope, cluster.ballot(envelope, 3))) == [], "a late ballot decides nothing"


def test_what_it_wrote_itself_it_need_not_read_and_what_others_wrote_it_does(cluster: Cluster) -> None:
    leader, envelope = Leader(cluster), cluster.envelope()
    leader.tell(m.Tick(), m.Tick())

    def asked(one: object) -> list[type]:
        """What it asks the log next."""
        return [type(effect) for effect in leader.tell_raw(one) if isinstance(effect, (m.ReadLog, m.Decide))]

    votes = [m.Vote(envelope, one) for one in cluster.proof(envelope)]
    assert [asked(vote) for vote in votes] == [[], [], [m.Decide]]
    answers = decide(cluster.log, [cluster.request(envelope)], cluster.scheme)
    assert asked(m.Answered(answers)) == []
    assert leader.state.docket.fold.head == cluster.log.rows.head
    assert leader.state.docket.reader.seen == cluster.log.rows.head
    cluster.commit(cluster.proposal(subject="acceptance/elsewhere"))  # somebody took over meanwhile
    other = cluster.envelope(cluster.proposal(subject="acceptance/after"))
    answers = decide(cluster.log, [cluster.request(other)], cluster.scheme)
    assert asked(m.Answered(answers)) == [m.ReadLog]
    assert leader.state.docket.fold.head.index == 1


def test_without_the_lease_it_leaves_the_other_two_seconds(cluster: Cluster) -> None:
    take(cluster.log, "c9")
    other, envelope = Leader(cluster), cluster.envelope()
    other.tell(m.Tick(), m.Tick(), *(m.Vote(envelope, one) for one in cluster.proof(envelope)))
    assert cluster.log.rows.head.index == 0
    other.later(TAKEOVER_NS)
    assert cluster.log.rows.head.index == 1


def test_it_expires_what_nobody_decided_while_its_lease_holds(cluster: Cluster) -> None:
    leader, envelope = Leader(cluster), cluster.envelope()
    leader.tell(m.Tick(), m.Tick(), m.Propose(envelope))
    for _ in range(11):
        leader.later(SECOND)
    assert [entry.outcome.value for entry in cluster.log.rows.entries] == ["expired"]


def test_paused_past_its_lease_and_resumed_it_is_fenced(cluster: Cluster) -> None:
    leader, envelope = Leader(cluster), cluster.envelope()
    leader.tell(m.Tick(), m.Tick(), m.Propose(envelope))
    assert leader.state.epoch == 1
    cluster.now += 11 * SECOND
    assert take(cluster.log, "c1").epoch == 2
    leader.now += 11 * SECOND
    effects = leader.tell(m.Tick(), m.Tick())
    assert [one for one in effects if isinstance(one, m.Decide)], "it believes that it leads, and asks"
    assert cluster.log.rows.head.index == 0
    assert leader.state.epoch == 0, "and knows better now"


def test_what_ripens_while_the_log_is_busy_goes_into_one_batch(cluster: Cluster) -> None:
    leader = Leader(cluster)
    leader.tell(m.Tick(), m.Tick())
    leader.away = True
    envelopes = [cluster.envelope(cluster.proposal(subject=f"acceptance/{number}")) for number in range(4)]
    votes = [m.Vote(one, ballot) for one in envelopes for ballot in cluster.proof(one)]
    [first] = [one for one in leader.tell(*votes) if isinstance(one, m.Decide)]
    assert len(first.requests) == 1
    leader.away = False
    answers = m.Answered(decide(cluster.log, first.requests, cluster.scheme))
    [second] = [one for one in leader.tell(answers) if isinstance(one, m.Decide)]
    assert len(second.requests) == 3
    assert cluster.log.rows.head.index == 4


def test_an_answer_that_never_comes_is_asked_for_again(cluster: Cluster) -> None:
    leader, envelope = Leader(cluster), cluster.envelope()
    leader.tell(m.Tick(), m.Tick())
    leader.away = True
    leader.tell(*(m.Vote(envelope, one) for one in cluster.proof(envelope)))
    leader.away = False
    leader.later(SECOND)
    assert cluster.log.rows.head.index == 1


def test_a_log_that_fails_at_once_is_not_asked_at_once(cluster: Cluster) -> None:
    """Else it would be asked for ever without a pause: found by a scripted attack."""
    leader, envelope = Leader(cluster), cluster.envelope()
    leader.tell(m.Tick(), m.Tick())
    leader.away = True
    leader.tell(*(m.Vote(envelope, one) for one in cluster.proof(envelope)))
    leader.tell(m.Answered(()))
    answer = cluster.log.read(leader.state.docket.token, 0, 100)
    assert leader.tell(answer, m.Vote(envelope, cluster.ballot(envelope, 3))) == []
    leader.away = False
    leader.later(SECOND)
    assert cluster.log.rows.head.index == 1


def test_it_gathers_a_seal_from_votes_for_the_log_it_knows(cluster: Cluster) -> None:
    leader = Leader(cluster)
    cluster.commit()
    leader.tell(m.Tick(), m.Tick())

    def vote(number: int, head: Head = cluster.log.rows.head, cluster_name: str = "north") -> SealVote:
        made = SealVote(cluster=cluster_name, shard="main", roster=0, head=head, voter=f"v{number}")
        return made.signed(cluster.signers[number])

    assert (
        leader.tell(vote(0), vote(0), vote(1, Head(1, "1" * 64)), vote(1, Head(2, "2" * 64)), vote(1, cluster_name="x"))
        == []
    )
    forged = vote(1).signed(cluster.signers[0])
    assert leader.tell(vote(1), forged) == []
    [kept] = leader.tell(vote(3))
    assert isinstance(kept, m.KeepSeal)
    assert [one.voter for one in kept.seal.votes] == ["v0", "v1", "v3"]
    assert seals(kept.seal.votes, "north", "main", cluster.roster, cluster.scheme)
    assert leader.tell(vote(2)) == []


def test_it_lets_the_lease_go_after_so_many_entries(cluster: Cluster) -> None:
    leader = Leader(cluster)
    leader.tell(m.Tick(), m.Tick())
    assert leader.later(SECOND) == [m.RenewLease(1)]
    leader.state = leader.state._replace(since=-coordinators.ENTRIES)
    assert leader.later(SECOND) == []


def test_a_log_that_does_not_verify_halts_it(cluster: Cluster) -> None:
    leader = Leader(cluster)
    cluster.commit()
    cluster.log.rows.head = Head(1, "1" * 64)
    [report] = leader.tell(m.Tick())
    assert isinstance(report, m.Report)
    assert leader.tell(m.Tick(), m.Propose(cluster.envelope())) == []


def test_a_seal_is_by_the_roster_that_was_in_force_at_its_head(cluster: Cluster) -> None:
    leader = Leader(cluster)
    cluster.commit()
    head = cluster.log.rows.head
    cluster.commit(cluster.next_roster(voters=cluster.roster.voters[1:], faulty=0))
    leader.tell(m.Tick(), m.Tick())
    votes = [
        SealVote(cluster="north", shard="main", roster=0, head=head, voter=f"v{number}").signed(cluster.signers[number])
        for number in range(3)
    ]
    *before, kept = [effect for vote in votes for effect in leader.tell(vote)]
    assert before == []
    assert isinstance(kept, m.KeepSeal)
    assert kept.seal.head == head


def test_who_vouches_for_every_head_fills_no_memory(cluster: Cluster) -> None:
    leader = Leader(cluster)
    for base in range(coordinators.SEALS_OPEN + 5):
        cluster.commit(cluster.proposal(base=base))
    leader.tell(m.Tick(), m.Tick())
    for entry in cluster.log.rows.entries:
        vote = SealVote(cluster="north", shard="main", roster=0, head=entry.head, voter="v1")
        assert leader.tell(vote.signed(cluster.signers[1])) == []
    last = cluster.log.rows.head.index
    assert sorted(leader.state.votes) == list(range(last - coordinators.SEALS_OPEN + 1, last + 1))
