"""The log's transaction: one decision, one order, all or nothing wherever it is cut off; in memory and in databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from coinswarm.canonical import GENESIS, digest
from coinswarm.memory.quorum.codec import BODY_LIMIT
from coinswarm.memory.quorum.inmemory import MemoryLog
from coinswarm.memory.quorum.log import LEASE_NS, TERM_NS, Request, Status, renew, take
from coinswarm.memory.quorum.records import Head, Outcome
from coinswarm.memory.store.columns import Base
from coinswarm.memory.store.log import SqlLog
from coinswarm.memory.store.opening import open_store
from coinswarm.memory.store.transaction import SqlTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from memory.quorum.conftest import Cluster

    from coinswarm.memory.quorum.log import Log
    from coinswarm.memory.quorum.records import Ballot, Entry, Envelope, Lease
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.memory.store.line import Line
    from coinswarm.memory.store.opening import Store

STEPS = ("lease", "head", "version", "decision", "state", "ballots", "entry", "move-head", "commit", "committed")
"""What a transaction that accepts one proposal passes, in order."""


class Cut(SqlTransaction):
    """Passes a point to fail at before each step, as ``MemoryLog`` does."""

    fault: Callable[[str], None]

    def lock_lease(self, *, write: bool) -> Lease:
        self.fault("lease")
        return super().lock_lease(write=write)

    def lock_head(self) -> tuple[Head, int]:
        self.fault("head")
        return super().lock_head()

    def lock_version(self, subject: str) -> int:
        self.fault("version")
        return super().lock_version(subject)

    def insert_decision(self, proposal: str, outcome: Outcome, index: int) -> bool:
        self.fault("decision")
        return super().insert_decision(proposal, outcome, index)

    def change_state(self, envelope: Envelope, version: int, roster: Roster | None) -> None:
        self.fault("state")
        super().change_state(envelope, version, roster)

    def insert_ballots(self, ballots: Sequence[Ballot]) -> None:
        self.fault("ballots")
        super().insert_ballots(ballots)

    def append(self, entry: Entry) -> None:
        self.fault("entry")
        super().append(entry)

    def move_head(self, head: Head, at_ns: int) -> None:
        self.fault("move-head")
        super().move_head(head, at_ns)


class CutLog(SqlLog):
    """The same log, with such transactions."""

    fault: Callable[[str], None]

    def _held(self, line: Line) -> SqlTransaction:
        held = Cut(line, self.number, self.clock, self._lines.reading)
        held.fault = self.fault
        return held

    def _commit(self, held: SqlTransaction) -> None:
        self.fault("commit")
        super()._commit(held)
        self.fault("committed")


class Memory:
    """Logs in memory."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def log(self) -> Log:
        return MemoryLog("north", "main", self.cluster.roster, lambda: self.cluster.now)

    def cut(self, fault: Callable[[str], None]) -> Log:
        """The cluster's log once more, with points to fail at."""
        log = MemoryLog("north", "main", self.cluster.roster, lambda: self.cluster.now, fault)
        log.rows = self.cluster.log.rows
        return log

    def told(self) -> dict[str, object]:
        """All that is kept, for comparison."""
        told: dict[str, object] = vars(self.cluster.log.rows.copy())
        return told

    def close(self) -> None:
        pass


class Sql:
    """Logs in a database."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        self.cluster, self.url = cluster, url
        self.stores: list[Store] = []

    def log(self) -> Log:
        store = open_store(self.url, "north", "main", roster=self.cluster.roster, clock=lambda: self.cluster.now)
        self.stores.append(store)
        return store.log

    def cut(self, fault: Callable[[str], None]) -> Log:
        """The cluster's log once more, on connections of its own, with points to fail at."""
        self.log()
        store = self.stores[-1]
        whose = "north", "main", store.log.number
        log = CutLog(store.engine, store.place, store.lines, whose, lambda: self.cluster.now)
        log.fault = fault
        return log

    def told(self) -> dict[str, object]:
        """All that is kept, for comparison."""
        with self.stores[0].engine.connect() as connection:
            return {
                name: connection.execute(select(table).order_by(*table.primary_key.columns)).all()
                for name, table in Base.metadata.tables.items()
            }

    def close(self) -> None:
        for store in self.stores:
            store.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> Iterator[Memory | Sql]:
    """Where the cluster's log is kept: each kind in turn."""
    made: Memory | Sql
    if request.param == "memory":
        made = Memory(cluster)
    else:
        url = str(tmp_path / "swarm.db") if request.param == "sqlite" else request.getfixturevalue("postgres_store")
        made = Sql(cluster, url)
    cluster.log = made.log()
    yield made
    made.close()


pytestmark = pytest.mark.usefixtures("kept")


def entries(cluster: Cluster) -> list[Entry]:
    """All of them, as somebody reads them."""
    return list(cluster.log.read(1, 0, 1_000).entries)


def test_what_q_voters_accept_changes_the_state_once(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    [first], [second] = cluster.decide(cluster.request(envelope)), cluster.decide(cluster.request(envelope))
    assert (first.status, first.outcome) == (Status.DECIDED, Outcome.ACCEPT)
    assert (second.status, second.outcome) == (Status.ALREADY, Outcome.ACCEPT)
    fold, [entry] = cluster.fold(), entries(cluster)
    assert dict(fold.versions.items()) == {"acceptance/cap": 1}
    assert (entry.envelope, entry.proof, entry.head) == (envelope, cluster.proof(envelope), first.head)


def test_a_rejection_is_kept_and_changes_nothing(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    [answer] = cluster.decide(cluster.request(envelope, accepts=False))
    assert answer.outcome is Outcome.REJECT
    assert not cluster.fold().versions
    assert [entry.proof for entry in entries(cluster)] == [cluster.proof(envelope, accepts=False)]
    assert [one.status for one in cluster.decide(cluster.request(envelope))] == [Status.ALREADY]


@pytest.mark.parametrize("cut", STEPS)
def test_cut_off_anywhere_it_is_undone_or_done_and_asking_again_is_safe(
    cluster: Cluster, kept: Memory | Sql, cut: str
) -> None:
    cluster.commit()
    passed: list[str] = []

    def fault(step: str) -> None:
        passed.append(step)
        if step == cut:
            raise ConnectionError(step)

    log = kept.cut(fault)
    before = kept.told()
    envelope = cluster.envelope(cluster.proposal("2", base=1))
    with pytest.raises(ConnectionError):
        cluster.decide(cluster.request(envelope), log=log)
    assert tuple(passed) == STEPS[: STEPS.index(cut) + 1]
    done = cut == "committed"
    assert (kept.told() == before) is not done
    [answer] = cluster.decide(cluster.request(envelope))
    assert answer.status is (Status.ALREADY if done else Status.DECIDED)
    assert len(entries(cluster)) == 2
    assert cluster.fold().head == log.read(1, 0, 1).head


def test_a_change_of_the_roster_is_undone_too(cluster: Cluster, kept: Memory | Sql) -> None:
    def fault(step: str) -> None:
        if step == "commit":
            raise ConnectionError

    epoch = take(cluster.log, "c0").epoch
    before = kept.told()
    envelope = cluster.envelope(cluster.next_roster(rules=digest("other")))
    with pytest.raises(ConnectionError):
        cluster.decide(cluster.request(envelope, epoch=epoch), log=kept.cut(fault))
    assert kept.told() == before
    assert [one.outcome for one in cluster.decide(cluster.request(envelope, epoch=epoch))] == [Outcome.ACCEPT]


def test_of_two_proposals_on_one_version_one_is_accepted(cluster: Cluster) -> None:
    one, two = cluster.envelope(), cluster.envelope(cluster.proposal("2"))
    answers = cluster.decide(cluster.request(one), cluster.request(two))
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPT, Outcome.CONFLICT]
    assert entries(cluster)[1].proof == (), "what can never be accepted needs no ballots"
    assert cluster.fold().versions.get("acceptance/cap") == 1


SHARING = [((1, 2, 3), (3, 4)), ((1, 2), (2,)), ((2,), (1, 2)), ((3, 2, 1), (1, 2, 3)), ((1, 2), (2, 1))]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("first", "second"), SHARING)
def test_of_proposals_that_share_an_episode_one_is_accepted_as_a_whole(
    cluster: Cluster, first: tuple[int, ...], second: tuple[int, ...], *, at_once: bool
) -> None:
    asked = [cluster.envelope(cluster.remember(*numbers)) for numbers in (first, second)]
    requests = [cluster.request(envelope) for envelope in asked]
    answers = cluster.decide(*requests) if at_once else [*cluster.decide(requests[0]), *cluster.decide(requests[1])]
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPT, Outcome.CONFLICT]
    versions = {f"episode/{digest(number)}": 1 for number in first}
    assert dict(cluster.fold().versions.items()) == versions
    with cluster.log.transaction() as held:
        assert [held.lock_version(f"episode/{digest(number)}") for number in (*first, 9)] == [*versions.values(), 0]
        assert held.lock_version(asked[0].proposal.subject) == (1 if len(first) == 1 else 0), "several have none"
    rest = cluster.envelope(cluster.remember(8, 9))
    assert [answer.outcome for answer in cluster.decide(cluster.request(rest))] == [Outcome.ACCEPT]


def test_several_that_are_remembered_already_conflict_whichever_it_is(cluster: Cluster) -> None:
    cluster.commit(cluster.remember(2))
    for numbers in ((2, 5), (5, 2), (4, 5, 2)):
        [answer] = cluster.decide(Request(envelope=cluster.envelope(cluster.remember(*numbers))))
        assert answer.outcome is Outcome.CONFLICT, "and that needs no ballots"
    assert dict(cluster.fold().versions.items()) == {f"episode/{digest(2)}": 1}


@pytest.mark.parametrize("cut", range(13))
def test_several_are_undone_together_too(cluster: Cluster, kept: Memory | Sql, cut: int) -> None:
    cluster.commit(cluster.remember(7))
    steps: list[str] = []

    def fault(step: str) -> None:
        steps.append(step)
        if len(steps) > cut:
            raise ConnectionError(step)

    log = kept.cut(fault)
    before = kept.told()
    request = cluster.request(cluster.envelope(cluster.remember(1, 2, 3)))
    if cut < 12:
        with pytest.raises(ConnectionError):
            cluster.decide(request, log=log)
    else:
        cluster.decide(request, log=log)
    done = cut > 10
    assert (kept.told() == before) is not done, steps
    [answer] = cluster.decide(request)
    assert answer.status is (Status.ALREADY if done else Status.DECIDED)
    assert cluster.fold().head == log.read(1, 0, 1).head


def test_what_starts_from_a_version_to_come_waits(cluster: Cluster) -> None:
    envelope = cluster.envelope(cluster.proposal(base=1))
    assert [one.status for one in cluster.decide(cluster.request(envelope))] == [Status.EARLY]
    cluster.commit()
    assert [one.outcome for one in cluster.decide(cluster.request(envelope))] == [Outcome.ACCEPT]


def test_nothing_is_decided_without_a_proof_that_holds(cluster: Cluster) -> None:
    envelope, other = cluster.envelope(), cluster.envelope()
    one, two, three = cluster.proof(envelope)
    cases = {
        (): Status.EARLY,
        (one, two): Status.INVALID,
        (one, two, two): Status.INVALID,
        (one, two, replace(three, accepts=False)): Status.INVALID,
        cluster.proof(other): Status.INVALID,
        (one, two, cluster.ballot(envelope, 2, seen=Head(9, "9" * 64))): Status.INVALID,
    }
    for proof, status in cases.items():
        assert [one.status for one in cluster.decide(Request(envelope=envelope, proof=proof))] == [status]
    unsigned = replace(envelope, signature="")
    assert [one.status for one in cluster.decide(cluster.request(unsigned))] == [Status.INVALID]
    assert not entries(cluster)


def test_nothing_of_another_cluster_or_shard_is_decided_whoever_certified_it(cluster: Cluster) -> None:
    """Else one such entry would halt every reader: found by a scripted attack."""
    for elsewhere in (cluster.envelope(cluster="south"), cluster.envelope(shard="other")):
        assert [one.status for one in cluster.decide(cluster.request(elsewhere))] == [Status.INVALID]
    assert not entries(cluster)


def test_after_the_deadline_it_expires_whatever_was_certified_and_takes_the_lease(cluster: Cluster) -> None:
    envelope = cluster.envelope()
    cluster.now = envelope.deadline_ns
    assert [one.status for one in cluster.decide(Request(envelope=envelope))] == [Status.EARLY]
    cluster.now += 1
    assert [one.status for one in cluster.decide(cluster.request(envelope))] == [Status.FENCED]
    epoch = take(cluster.log, "c0").epoch
    assert [one.status for one in cluster.decide(cluster.request(envelope, epoch=epoch + 1))] == [Status.FENCED]
    assert [one.outcome for one in cluster.decide(cluster.request(envelope, epoch=epoch))] == [Outcome.EXPIRED]


def test_without_any_lease_nobody_expires_anything(cluster: Cluster) -> None:
    """Epoch 0 is nobody's: found by the simulator."""
    envelope = cluster.envelope()
    cluster.now = envelope.deadline_ns + 1
    assert [one.status for one in cluster.decide(Request(envelope=envelope, epoch=0))] == [Status.FENCED]


def test_a_clock_that_steps_back_reopens_nothing(cluster: Cluster) -> None:
    late = cluster.envelope(life=1)
    cluster.now += 1_000
    cluster.commit()
    cluster.now -= 1_000
    assert [one.status for one in cluster.decide(cluster.request(late))] == [Status.FENCED]
    assert cluster.log.read(1, 0, 10).now_ns == entries(cluster)[-1].at_ns > cluster.now


def test_a_nonce_is_accepted_once(cluster: Cluster) -> None:
    first = cluster.commit()
    second = cluster.envelope(cluster.proposal(subject="acceptance/floor"), nonce=first.nonce)
    assert [one.outcome for one in cluster.decide(cluster.request(second))] == [Outcome.CONFLICT]


def test_a_new_roster_judges_from_the_next_entry_on(cluster: Cluster) -> None:
    old = cluster.envelope()
    cluster.commit(cluster.next_roster(rules=digest("other")))
    assert cluster.fold().roster.version == 1
    assert [one.outcome for one in cluster.decide(cluster.request(old))] == [Outcome.CONFLICT]
    new = cluster.envelope()
    assert new.roster == 1
    assert [one.outcome for one in cluster.decide(cluster.request(new))] == [Outcome.ACCEPT]
    ahead = cluster.envelope(roster=2)
    assert [one.status for one in cluster.decide(cluster.request(ahead))] == [Status.INVALID]


def test_a_roster_that_is_not_allowed_is_not_accepted_even_by_q(cluster: Cluster) -> None:
    envelope = cluster.envelope(cluster.next_roster(version=5))
    epoch = take(cluster.log, "c0").epoch
    assert [one.status for one in cluster.decide(cluster.request(envelope, epoch=epoch))] == [Status.EARLY]
    assert [one.outcome for one in cluster.decide(cluster.request(envelope, accepts=False))] == [Outcome.REJECT]


def test_a_lease_is_taken_when_it_has_run_out_and_its_last_holder_comes_last(cluster: Cluster) -> None:
    first = take(cluster.log, "c0")
    assert (first.holder, first.epoch) == ("c0", 1)
    assert take(cluster.log, "c1") == first
    cluster.now += LEASE_NS + 1
    assert take(cluster.log, "c0") == first
    second = take(cluster.log, "c1")
    assert (second.holder, second.epoch) == ("c1", 2)
    assert renew(cluster.log, "c0", 1) == second
    cluster.now += 2 * LEASE_NS + 1
    assert take(cluster.log, "c1").epoch == 3


def test_a_lease_is_renewed_within_its_term_and_no_longer(cluster: Cluster) -> None:
    lease = take(cluster.log, "c0")
    cluster.now += TERM_NS
    longer = renew(cluster.log, "c0", 1)
    assert longer.expires_ns == cluster.now + LEASE_NS
    assert (longer.epoch, longer.since_ns) == (lease.epoch, lease.since_ns)
    cluster.now += 1
    assert renew(cluster.log, "c0", 1) == longer
    assert renew(cluster.log, "c0", 2) == longer


def test_it_is_read_in_parts(cluster: Cluster) -> None:
    for base in range(3):
        cluster.commit(cluster.proposal(base=base))
    part = cluster.log.read(7, 1, 1)
    assert (part.token, part.after, [entry.index for entry in part.entries], part.head.index) == (7, 1, [2], 3)


def test_each_thing_can_be_asked_for_by_itself(cluster: Cluster) -> None:
    """What is not foreseen is read when it is asked for."""
    envelope = cluster.commit()
    [entry] = entries(cluster)
    other = cluster.envelope()
    with cluster.log.transaction() as held:
        assert held.lock_head() == (entry.head, entry.at_ns)
        assert [held.lock_version(subject) for subject in ("acceptance/cap", "other")] == [1, 0]
        assert [held.decision(one.id) for one in (envelope, other)] == [Outcome.ACCEPT, None]
        assert [held.is_spent(one.use) for one in (envelope, other)] == [True, False]
        assert [held.hash_at(index) for index in (0, 1, 2)] == [GENESIS, entry.hash, None]
        assert [held.roster(version) for version in (None, 0, 1, -1)] == [cluster.roster, cluster.roster, None, None]


def test_a_proposal_that_is_too_long_for_a_vote_is_decided_by_nobody(cluster: Cluster) -> None:
    envelope = cluster.envelope(cluster.proposal("x" * BODY_LIMIT))
    assert [one.status for one in cluster.decide(cluster.request(envelope))] == [Status.INVALID]
