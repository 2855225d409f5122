"""A log in a database when something goes wrong: nothing or all of it, and an error that says which."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from coinswarm.canonical import digest
from coinswarm.errors import (
    DataError,
    NotReadyError,
    UnreachableError,
)
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.log import Answer, Request, Status, decide, take
from coinswarm.memory.quorum.records import Head, Outcome, Seal, SealVote
from coinswarm.memory.quorum.verify import verify
from coinswarm.memory.store import engine as engines
from coinswarm.memory.store import log as logs
from coinswarm.memory.store.audit import rebuild, verified
from coinswarm.memory.store.opening import logs_in, open_store
from coinswarm.memory.store.statement import FEW, Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from memory.quorum.conftest import Cluster

    from coinswarm.memory.quorum.log import Answer
    from coinswarm.memory.store.opening import Store


def test_cut_off_before_any_statement_nothing_is_done(
    cluster: Cluster, stored: Store, whole: Callable[[Store], int], told: Callable[[Store], dict[str, object]]
) -> None:
    cluster.commit(cluster.next_roster(rules=digest("other")))
    before = told(stored)
    left = [0]

    def failing(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise ConnectionError

    stored.lines.told = failing
    envelope = cluster.envelope()
    answers: tuple[Answer, ...] = ()
    statements = 0
    while not answers:
        statements += 1
        left[0] = statements
        try:
            answers = cluster.decide(cluster.request(envelope))
        except ConnectionError:
            left[0] = 0
            assert told(stored) == before
    left[0] = 0
    assert [one.status for one in answers] == [Status.DECIDED]
    assert statements >= 10, "each of the statements was cut off before"
    assert whole(stored) == 2


@pytest.mark.parametrize("size", [FEW - 1, 50])
def test_a_batch_goes_to_the_database_in_a_dozen_statements_and_comes_back_as_it_was(
    cluster: Cluster, stored: Store, size: int
) -> None:
    counted: list[str] = []
    requests = [
        cluster.request(cluster.envelope(cluster.proposal(f'{number} "\\', subject=f"acceptance/{number}")))
        for number in range(size)
    ]
    stored.lines.told = counted.append
    assert {one.outcome for one in cluster.decide(*requests)} == {Outcome.ACCEPT}
    assert size <= FEW or len(counted) <= 12, counted
    entries = stored.log.read(1, 0, size).entries
    assert [(one.envelope, one.proof) for one in entries] == [(one.envelope, one.proof) for one in requests]
    assert rebuild(stored, Ed25519Scheme()).differed == {}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE proposal SET body = replace(body, 'acceptance.cap', 'acceptance.cup')",
        "UPDATE proposal SET signature = 'ff'",
        "UPDATE quorum_vote SET body = replace(body, 'ACCEPT', 'REJECT') WHERE place = 1",
        "UPDATE quorum_vote SET signature = 'ff' WHERE place = 2",
        "DELETE FROM quorum_vote WHERE place = 0",
        "UPDATE entry SET epoch = epoch + 1",
        "UPDATE entry SET hash = previous",
    ],
)
def test_what_is_altered_after_it_was_read_is_seen_to_be(cluster: Cluster, stored: Store, change: str) -> None:
    cluster.commit()
    first, second = (stored.log.read(1, 0, 9).entries for _ in range(2))
    assert first[0] is second[0], "the same bytes are looked at once"
    with stored.engine.begin() as connection:
        assert connection.execute(text(change)).rowcount > 0
    read = stored.log.read(1, 0, 9)
    report = verify(cluster.genesis(), read.entries, read.head, Ed25519Scheme())
    assert report.bad == 1, report


def test_an_entry_whose_proposal_is_gone_is_seen_to_be_none(cluster: Cluster, filed: Store) -> None:
    cluster.log = filed.log
    cluster.commit()
    with filed.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("DELETE FROM proposal")
    read = filed.log.read(1, 0, 9)
    report = verify(cluster.genesis(), read.entries, read.head, Ed25519Scheme())
    assert report.bad == 1, report
    assert "cannot be read as JSON" in report.why


def test_a_reader_goes_through_no_more_of_a_log_than_it_asks_for(cluster: Cluster, served: Store) -> None:
    """Although PostgreSQL planned its statements while the log was empty, and has gathered nothing about it since."""
    for base in range(8):
        cluster.commit(cluster.proposal(base=base))
        served.log.read(1, base, 9)
    size = 400
    cluster.decide(*(cluster.request(cluster.envelope(cluster.proposal(subject=f"a/{n}"))) for n in range(size)))

    def gone_through() -> int:
        """All rows so far; asked for on the connection that reads, whose counts are else handed in when it has time."""
        with served.lines.reading() as line:
            line.ask((flush, {}))
            [[(found,)]] = line.ask((count, {}))
        return int(found)

    asked = "SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes"
    seen = "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables"
    flush = Statement(text("SELECT pg_stat_force_next_flush()"))
    count = Statement(text(f"SELECT ({asked}) + ({seen})"))

    before = gone_through()
    for after in range(8, 8 + size, 10):
        assert len(served.log.read(1, after, 10).entries) == 10
    read = gone_through() - before
    assert read >= size, "it is counted"
    assert read <= 12 * size, f"{read} rows for {size} entries"


def test_no_more_entries_are_remembered_than_are_of_use(
    cluster: Cluster, stored: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_KEPT", 4)
    for base in range(9):
        cluster.commit(cluster.proposal(base=base))
        assert stored.log.read(1, base, 9).head.index == base + 1
    assert [entry.index for entry in stored.log.read(1, 0, 99).entries] == list(range(1, 10))
    assert len(stored.log._known) <= 5


def test_fewer_are_remembered_of_those_that_are_long(
    cluster: Cluster, stored: Store, monkeypatch: pytest.MonkeyPatch, whole: Callable[[Store], int]
) -> None:
    monkeypatch.setattr(logs, "_KEPT", 4 * 32)
    for base in range(6):
        cluster.commit(cluster.proposal(base=base))
    for first in range(0, 6 * 64, 64):
        cluster.commit(cluster.remember(*range(first, first + 64)))
    stored.log._known = {}
    for after in range(12):
        assert [entry.index for entry in stored.log.read(1, after, 1).entries] == [after + 1]
        assert len(stored.log._known) <= (after + 1 if after < 6 else 4)
    assert whole(stored) == 12


def test_many_share_episodes_at_once_and_each_is_remembered_once(
    cluster: Cluster, stored: Store, store_url: str, whole: Callable[[Store], int], again: Callable[[Store, str], Store]
) -> None:
    numbers = [tuple((step * part + shift) % 30 for part in range(4)) for step in (1, 7, 11) for shift in range(10)]
    requests = [cluster.request(cluster.envelope(cluster.remember(*some))) for some in (*numbers, *zip(range(30)))]
    others = [again(stored, store_url) for _ in range(2)]
    logs = [stored.log, *(store.log for store in others)]

    def work(worker: int) -> list[Outcome | None]:
        mine = requests[worker::6] + requests[(worker + 1) % 6 :: 6][::-1]
        parts = [mine[start : start + 4] for start in range(0, len(mine), 4)]
        return [one.outcome for part in parts for one in decide(logs[worker % 3], part, Ed25519Scheme())]

    with ThreadPoolExecutor(6) as pool:
        found = {outcome for outcomes in pool.map(work, range(6)) for outcome in outcomes}
    for store in others:
        store.close()
    assert found == {Outcome.ACCEPT, Outcome.CONFLICT}
    entries = stored.log.read(1, 0, 99).entries
    assert len(entries) == len(requests)
    accepted = [entry for entry in entries if entry.outcome is Outcome.ACCEPT]
    remembered = [subject for entry in accepted for subject in entry.envelope.proposal.subjects]
    assert sorted(remembered) == sorted(f"episode/{digest(number)}" for number in range(30)), "each of them once"
    assert max(len(entry.envelope.proposal.subjects) for entry in accepted) == 4
    assert whole(stored) == len(requests)
    assert rebuild(stored, Ed25519Scheme()).differed == {}


def sealed(cluster: Cluster, head: Head) -> Seal:
    """A head with the signatures of three under it."""
    votes = [
        SealVote(cluster="north", shard="main", roster=0, head=head, voter=f"v{number}").signed(cluster.signers[number])
        for number in range(3)
    ]
    return Seal(head, tuple(votes))


def test_seals_stand_beside_the_log_and_are_held_against_it(cluster: Cluster, stored: Store) -> None:
    cluster.commit()
    cluster.commit(cluster.proposal("2", base=1))
    seal = sealed(cluster, stored.log.read(1, 1, 1).head)
    for _ in range(2):
        stored.log.keep_seal(seal)
    assert verified(stored, Ed25519Scheme()).why == ""
    with stored.engine.begin() as connection:
        for statement in (
            "DELETE FROM quorum_vote WHERE proposal_id IN (SELECT proposal FROM entry WHERE position = 2)",
            "DELETE FROM entry WHERE position = 2",
            "DELETE FROM decision WHERE position = 2",
            "UPDATE head SET position = 1, hash = (SELECT hash FROM entry WHERE position = 1)",
        ):
            connection.execute(text(statement))
    assert "the log ends at entry 1, but was sealed at 2" in verified(stored, Ed25519Scheme()).why


@pytest.mark.parametrize("when", ["before_cursor_execute", "after_cursor_execute"])
def test_a_log_that_grows_while_it_is_verified_is_whole(
    cluster: Cluster, stored: Store, store_url: str, when: str, again: Callable[[Store, str], Store]
) -> None:
    def grows(_: object, __: object, statement: str, *___: object) -> None:
        if any(f"FROM {table}" in statement for table in ("seal", "entry", "decision")):
            envelope = cluster.envelope(cluster.proposal(subject=f"acceptance/{len(grown)}"))
            grown.append(cluster.decide(cluster.request(envelope), log=other.log)[0].head)
            other.log.keep_seal(sealed(cluster, grown[-1]))

    cluster.commit()
    grown: list[Head] = []
    with closing(again(stored, store_url)) as other:
        event.listen(stored.engine, when, grows)
        assert verified(stored, Ed25519Scheme()).why == ""
    assert len(grown) >= 2, "between several questions"


def test_what_is_in_a_request_may_be_nonsense(cluster: Cluster, stored: Store, whole: Callable[[Store], int]) -> None:
    good = cluster.envelope()
    ballots = cluster.proof(good)
    bad = [
        Request(envelope=cluster.envelope(submitter="a\0b")),
        Request(envelope=cluster.envelope(submitter="\N{SNOWMAN}")),
        Request(envelope=cluster.envelope(nonce=2**200)),
        Request(envelope=cluster.envelope(roster=2**70)),
        Request(envelope=cluster.envelope(roster=-1)),
        Request(envelope=cluster.envelope(cluster="a\0b")),
        Request(envelope=cluster.envelope(cluster.proposal(base=2**63))),
        *(
            Request(envelope=good, proof=(*ballots[:2], cluster.ballot(good, 2, seen=Head(index, "x"))))
            for index in (-1, 1, 2**70)
        ),
    ]
    answers = cluster.decide(*bad, cluster.request(good))
    assert {one.status for one in answers[:-1]} == {Status.INVALID, Status.EARLY}
    assert answers[-1].outcome is Outcome.ACCEPT
    assert whole(stored) == 1


@pytest.mark.parametrize("beginning", ["", "\0", "\ud800", "%"])
def test_no_proposal_begins_with_what_is_in_no_id(cluster: Cluster, stored: Store, beginning: str) -> None:
    envelope = cluster.commit()
    assert stored.log.find(beginning) == 0
    assert stored.log.find(envelope.id[:9]) == 1


def test_many_decide_at_once_and_each_proposal_is_decided_once(
    cluster: Cluster, stored: Store, store_url: str, whole: Callable[[Store], int], again: Callable[[Store, str], Store]
) -> None:
    requests = [
        cluster.request(cluster.envelope(cluster.proposal(str(number), subject=f"acceptance/{number % 7}")))
        for number in range(40)
    ]
    others = [again(stored, store_url) for _ in range(2)]
    logs = [stored.log, *(store.log for store in others)]

    def work(worker: int) -> list[tuple[str, Outcome | None]]:
        mine = requests[worker * 5 :] + requests[: worker * 5]
        parts = [mine[start : start + 8] for start in range(0, len(mine), 8)]
        answers = [one for part in parts for one in decide(logs[worker % 3], part, Ed25519Scheme())]
        take(logs[worker % 3], f"c{worker}")
        return [(one.proposal, one.outcome) for one in answers]

    with ThreadPoolExecutor(6) as pool:
        answers = [set(found) for found in pool.map(work, range(6))]
    for store in others:
        store.close()
    assert all(found == answers[0] for found in answers), "everybody is told the same"
    outcomes = [outcome for _, outcome in answers[0]]
    assert (outcomes.count(Outcome.ACCEPT), outcomes.count(Outcome.CONFLICT)) == (7, 33)
    assert whole(stored) == 40


def test_many_found_a_log_at_once(cluster: Cluster, store_url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: open_store(store_url, "north", "main", roster=cluster.roster), range(6)))
    assert len({store.log.number for store in stores}) == 1
    for store in stores:
        store.close()
    assert logs_in(store_url) == [("north", "main")]


def test_a_log_is_founded_once_and_with_the_first_roster(cluster: Cluster, stored: Store, store_url: str) -> None:
    other = replace(cluster.roster, rules=digest("other"))
    with pytest.raises(DataError, match=r"north/main in .* was founded with another roster"):
        open_store(store_url, "north", "main", roster=other)
    with pytest.raises(DataError, match="would start with version 1 of a roster: found it with version 0"):
        open_store(store_url, "south", "main", roster=replace(cluster.roster, version=1))
    with pytest.raises(NotReadyError, match="holds no log of south/main: give the roster"):
        open_store(store_url, "south", "main")
    with closing(open_store(store_url, "south", "main", roster=other)) as south:
        cluster.commit()
        assert south.log.read(1, 0, 9).head.index == 0, "another shard's log is another log"
        assert south.first == other
    assert stored.first == cluster.roster


def test_who_holds_the_lock_too_long_is_told_of(
    cluster: Cluster,
    stored: Store,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    again: Callable[[Store, str], Store],
) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    hasty = again(stored, store_url)
    request = cluster.request(cluster.envelope())
    with stored.log.transaction() as held:
        held.lock_head()
        with pytest.raises(UnreachableError, match=r"another (process|session) for more than"):
            decide(hasty.log, [request], Ed25519Scheme())
        assert hasty.log.read(1, 0, 9).head.index == 0, "who reads does not wait"
    [answer] = decide(hasty.log, [request], Ed25519Scheme())
    hasty.close()
    assert answer.status is Status.DECIDED
