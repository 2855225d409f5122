"""A log in a database when something goes wrong: nothing or all of it, and an error that says which."""

from __future__ import annotations

import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, make_url, select, text

from coinswarm.canonical import digest
from coinswarm.errors import (
    AmbiguousError,
    CoinswarmError,
    DataError,
    NotReadyError,
    OutputError,
    RetryableError,
    UnreachableError,
)
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.log import Answer, Request, Status, decide, take
from coinswarm.memory.quorum.records import Head, Outcome, Seal, SealVote
from coinswarm.memory.quorum.verify import verify
from coinswarm.memory.store import engine as engines
from coinswarm.memory.store import log as logs
from coinswarm.memory.store.audit import rebuild, verified
from coinswarm.memory.store.columns import Base
from coinswarm.memory.store.engine import engine_of, place
from coinswarm.memory.store.opening import logs_in, migrated, open_store
from coinswarm.memory.store.pipeline import PostgresLine
from coinswarm.memory.store.statement import FEW, Statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memory.quorum.conftest import Cluster
    from psycopg.pq.abc import PGresult

    from coinswarm.memory.quorum.log import Answer
    from coinswarm.memory.store.opening import Store


def told(store: Store) -> dict[str, object]:
    """All that is kept."""
    with store.engine.connect() as connection:
        return {name: connection.execute(select(table)).all() for name, table in Base.metadata.tables.items()}


def whole(cluster: Cluster, store: Store) -> int:
    """How many entries a log has, all of them good."""
    read = store.log.read(1, 0, 100_000)
    report = verify(cluster.genesis(), read.entries, read.head, Ed25519Scheme())
    assert report.why == ""
    return read.head.index


def again(cluster: Cluster, store: Store, url: str) -> Store:
    """The same log, over connections of its own."""
    return open_store(url, store.log.cluster, store.log.shard, clock=lambda: cluster.now)


def test_cut_off_before_any_statement_nothing_is_done(cluster: Cluster, stored: Store) -> None:
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
    assert whole(cluster, stored) == 2


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
    cluster: Cluster, stored: Store, monkeypatch: pytest.MonkeyPatch
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
    assert whole(cluster, stored) == 12


def test_many_share_episodes_at_once_and_each_is_remembered_once(
    cluster: Cluster, stored: Store, store_url: str
) -> None:
    numbers = [tuple((step * part + shift) % 30 for part in range(4)) for step in (1, 7, 11) for shift in range(10)]
    requests = [cluster.request(cluster.envelope(cluster.remember(*some))) for some in (*numbers, *zip(range(30)))]
    others = [again(cluster, stored, store_url) for _ in range(2)]
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
    assert whole(cluster, stored) == len(requests)
    assert rebuild(stored, Ed25519Scheme()).differed == {}


def test_seals_stand_beside_the_log_and_are_held_against_it(cluster: Cluster, stored: Store) -> None:
    cluster.commit()
    cluster.commit(cluster.proposal("2", base=1))
    head = stored.log.read(1, 1, 1).head
    votes = [
        SealVote(cluster="north", shard="main", roster=0, head=head, voter=f"v{number}").signed(cluster.signers[number])
        for number in range(3)
    ]
    for _ in range(2):
        stored.log.keep_seal(Seal(head, tuple(votes)))
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


def test_what_is_in_a_request_may_be_nonsense(cluster: Cluster, stored: Store) -> None:
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
    assert whole(cluster, stored) == 1


def test_many_decide_at_once_and_each_proposal_is_decided_once(cluster: Cluster, stored: Store, store_url: str) -> None:
    requests = [
        cluster.request(cluster.envelope(cluster.proposal(str(number), subject=f"acceptance/{number % 7}")))
        for number in range(40)
    ]
    others = [again(cluster, stored, store_url) for _ in range(2)]
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
    assert whole(cluster, stored) == 40


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
    cluster: Cluster, stored: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    hasty = again(cluster, stored, store_url)
    request = cluster.request(cluster.envelope())
    with stored.log.transaction() as held:
        held.lock_head()
        with pytest.raises(UnreachableError, match=r"another (process|session) for more than"):
            decide(hasty.log, [request], Ed25519Scheme())
        assert hasty.log.read(1, 0, 9).head.index == 0, "who reads does not wait"
    [answer] = decide(hasty.log, [request], Ed25519Scheme())
    hasty.close()
    assert answer.status is Status.DECIDED


# ── files ──


@pytest.fixture
def filed(cluster: Cluster, tmp_path: Path) -> Iterator[Store]:
    """The cluster's log in a file, made when it is opened."""
    store = open_store(str(tmp_path / "swarm.db"), "north", "main", roster=cluster.roster, clock=lambda: cluster.now)
    cluster.log = store.log
    yield store
    store.close()


def test_a_file_is_made_at_its_first_use_and_is_as_durable_as_it_says(filed: Store) -> None:
    with filed.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_full_disk_is_told_and_nothing_is_done(cluster: Cluster, filed: Store) -> None:
    cluster.commit()
    before = told(filed)

    def full(connection: sqlite3.Connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    filed.close()
    event.listen(filed.engine, "checkout", full)
    requests = [cluster.request(cluster.envelope(cluster.proposal(subject=f"a/{number}"))) for number in range(40)]
    with pytest.raises(OutputError, match=r"no space left to write .*: free some space"):
        cluster.decide(*requests)
    event.remove(filed.engine, "checkout", full)
    filed.close()
    assert told(filed) == before
    assert {one.status for one in cluster.decide(*requests)} == {Status.DECIDED}


def test_files_that_cannot_be_used_say_why(cluster: Cluster, tmp_path: Path) -> None:
    def opening(name: str) -> Callable[[], Store]:
        return lambda: open_store(str(tmp_path / name), "north", "main", roster=cluster.roster)

    (tmp_path / "text.db").write_text("nothing of the kind" * 100, encoding="utf-8")
    (tmp_path / "folder.db").mkdir()
    cases: list[tuple[str, type[CoinswarmError], str]] = [
        ("none/swarm.db", OutputError, "the folder of .* does not exist: make it"),
        ("text.db", DataError, "is no SQLite file, or damaged"),
        ("folder.db", OutputError, "cannot be used"),
    ]
    for name, kind, why in cases:
        with pytest.raises(kind, match=why):
            opening(name)()


# ── PostgreSQL ──


def test_without_its_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        NotReadyError, match=r"takes psycopg, which is not installed: pip install 'coinswarm-core\[post"
    ):
        logs_in("postgres://somebody@somewhere/swarm")


@pytest.fixture
def served(cluster: Cluster, postgres_store: str) -> Iterator[Store]:
    """The cluster's log on PostgreSQL."""
    store = open_store(postgres_store, "north", "main", roster=cluster.roster, clock=lambda: cluster.now)
    cluster.log = store.log
    yield store
    store.close()


def test_a_commit_without_an_answer_is_ambiguous_and_asking_again_is_safe(
    cluster: Cluster, served: Store, postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    received, sent = PostgresLine._received, list[str]()

    def lost(line: PostgresLine, wanted: int) -> list[PGresult]:
        """It is done, and before that can be read, the connection is gone."""
        if sent[-1] == "COMMIT":
            assert not line._pg.flush()
            with closing(again(cluster, served, postgres_store)) as other, monkeypatch.context() as patch:
                patch.setattr(PostgresLine, "_received", received)
                while other.log.read(1, 0, 1).head.index == 0:
                    pass
            with socket.socket(fileno=os.dup(line._pg.socket)) as wire:
                wire.settimeout(5)
                assert b"COMMIT" in wire.recv(1 << 16)
                wire.shutdown(socket.SHUT_RDWR)
        return received(line, wanted)

    request = cluster.request(cluster.envelope())
    served.lines.told = sent.append
    with monkeypatch.context() as patch:
        patch.setattr(PostgresLine, "_received", lost)
        with pytest.raises(AmbiguousError, match="gave no answer to a commit: ask again, which is safe"):
            cluster.decide(request)
    assert whole(cluster, served) == 1, "this one was done"
    assert [one.status for one in cluster.decide(request)] == [Status.ALREADY]


@contextmanager
def killing(url: str) -> Iterator[Callable[..., None]]:
    """Ends every session on a database but the one that does it, and waits until they are gone."""
    other = engine_of(place(url))
    statement = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE pid != pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'"
    )

    def kill(*_: object) -> None:
        with other.connect() as connection:
            connection.execute(text(statement))

    yield kill
    other.dispose()


@pytest.mark.parametrize("when", ["BEGIN", "judged", "COMMIT"])
def test_a_session_that_is_ended_before_it_was_told_to_commit_did_nothing(
    cluster: Cluster, served: Store, postgres_store: str, when: str
) -> None:
    request = cluster.request(cluster.envelope())
    passed: list[str] = []

    def reached(what: str) -> None:
        if what.startswith(when) and when not in passed:
            passed.append(when)
            kill()

    class Judging(Ed25519Scheme):
        """Between what is read and what is written."""

        def verify(self, key: str, signature: str, body: bytes) -> bool:
            reached("judged")
            return super().verify(key, signature, body)

    with killing(postgres_store) as kill:
        served.lines.told = reached
        with pytest.raises(UnreachableError):
            decide(served.log, [request], Judging())
    assert passed == [when]
    assert whole(cluster, served) == 0, "this one was not done"
    assert [one.status for one in cluster.decide(request)] == [Status.DECIDED]


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        ("TRIGGER ending AFTER INSERT ON entry", UnreachableError),
        ("CONSTRAINT TRIGGER ending AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED", AmbiguousError),
    ],
)
def test_a_server_that_goes_is_ambiguous_when_it_had_come_to_the_commit(
    cluster: Cluster, served: Store, trigger: str, kind: type[CoinswarmError]
) -> None:
    with served.engine.begin() as connection:
        body = "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END"
        connection.execute(text(f"CREATE FUNCTION ending() RETURNS trigger AS $${body}$$ LANGUAGE plpgsql"))
        connection.execute(text(f"CREATE {trigger} FOR EACH ROW EXECUTE FUNCTION ending()"))
    request = cluster.request(cluster.envelope())
    try:
        with pytest.raises(kind):
            cluster.decide(request)
    finally:
        with served.engine.begin() as connection:
            connection.execute(text("DROP FUNCTION ending CASCADE"))
    assert whole(cluster, served) == 0
    assert [one.status for one in cluster.decide(request)] == [Status.DECIDED]


def test_sessions_that_were_ended_meanwhile_are_made_anew(cluster: Cluster, served: Store, postgres_store: str) -> None:
    served.log.read(1, 0, 1)
    with killing(postgres_store) as kill:
        kill()
    with pytest.raises(RetryableError):
        served.log.read(1, 0, 1)
    assert whole(cluster, served) == 0


@pytest.mark.parametrize(
    ("code", "kind", "why"),
    [
        ("53100", OutputError, "has no space left .*: free some space on the server"),
        ("40001", UnreachableError, "undid it for the sake of another transaction"),
        ("42501", CoinswarmError, "does not allow it"),
        ("25006", UnreachableError, "is a replica, or read-only"),
    ],
)
def test_what_the_server_says_is_told_in_our_words(
    cluster: Cluster, served: Store, code: str, kind: type[CoinswarmError], why: str
) -> None:
    with served.engine.begin() as connection:
        connection.execute(text(f"CREATE FUNCTION pg_temp.fail() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'so' "
                                f"USING ERRCODE = '{code}'; END $$ LANGUAGE plpgsql"))  # fmt: skip
        connection.execute(text("CREATE TRIGGER failing BEFORE INSERT ON entry EXECUTE FUNCTION pg_temp.fail()"))
    with pytest.raises(kind, match=why):
        cluster.decide(cluster.request(cluster.envelope()))
    with served.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER failing ON entry"))
    assert whole(cluster, served) == 0


def test_a_constraint_that_fails_at_the_commit_is_not_ambiguous(cluster: Cluster, served: Store) -> None:
    with served.engine.begin() as connection:
        connection.execute(text("CREATE FUNCTION pg_temp.fail() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'so' "
                                "USING ERRCODE = '40001'; END $$ LANGUAGE plpgsql"))  # fmt: skip
        connection.execute(text("CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED "
                                "FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()"))  # fmt: skip
    with pytest.raises(UnreachableError, match="undid it"):
        cluster.decide(cluster.request(cluster.envelope()))
    with served.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER failing ON entry"))
    assert whole(cluster, served) == 0


def test_servers_that_cannot_be_used_say_why(
    cluster: Cluster, databases: Callable[[str], str], postgres_url: str, tmp_path: Path
) -> None:
    with pytest.raises(
        NotReadyError, match=r"has no tables of Coinswarm: coinswarm memory migrate --store 'postgresql"
    ):
        open_store(databases("coinswarm_empty"), "north", "main", roster=cluster.roster)
    url = make_url(postgres_url)
    with pytest.raises(NotReadyError, match=r"has no such database .*: make it: createdb"):
        logs_in(url.set(database="nowhere").render_as_string(hide_password=False))
    with pytest.raises(UnreachableError, match="cannot be reached"):
        logs_in(url.update_query_dict({"host": str(tmp_path)}).render_as_string(hide_password=False))
    with pytest.raises(CoinswarmError, match=r"does not let us in .*: check the user and the password"):
        logs_in(url.set(username="nobody-we-know").render_as_string(hide_password=False))


def test_a_replica_is_refused(cluster: Cluster, databases: Callable[[str], str]) -> None:
    url = databases("coinswarm_empty")
    migrated(url)
    run(url, "ALTER DATABASE coinswarm_empty SET default_transaction_read_only = on")
    with pytest.raises(UnreachableError, match="is a replica, or read-only: the log is on the primary"):
        open_store(url, "north", "main", roster=cluster.roster)


def test_a_commit_is_on_the_disk_whatever_the_servers_default(
    cluster: Cluster, databases: Callable[[str], str]
) -> None:
    url = databases("coinswarm_empty")
    migrated(url)
    run(url, "ALTER DATABASE coinswarm_empty SET synchronous_commit = off")
    with closing(open_store(url, "north", "main", roster=cluster.roster)) as store, store.engine.connect() as opened:
        assert opened.execute(text("SHOW synchronous_commit")).scalar_one() == "on"


def run(url: str, statement: str) -> None:
    """Run one statement."""
    engine = engine_of(place(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_who_stops_in_the_middle_of_a_decision_does_not_keep_others_from_theirs(
    cluster: Cluster, served: Store, postgres_store: str
) -> None:
    stopped, other = (cluster.request(cluster.envelope()) for _ in range(2))

    class Stopping(Ed25519Scheme):
        """Where the process stands still: it has locked and read, and not written yet."""

        def verify(self, key: str, signature: str, body: bytes) -> bool:
            if not answers:
                answers.extend(cluster.decide(other))
            return super().verify(key, signature, body)

    answers: list[Answer] = []
    with (
        closing(open_store(postgres_store, "north", "main", roster=cluster.roster)) as elsewhere,
        pytest.raises(UnreachableError),
    ):
        decide(elsewhere.log, [stopped], Stopping())  # it goes on, as if nothing had been
    assert [one.status for one in answers] == [Status.DECIDED]
    assert whole(cluster, served) == 1
    assert [one.status for one in cluster.decide(stopped)] == [Status.DECIDED]


def test_the_clock_is_the_servers(cluster: Cluster, postgres_store: str) -> None:
    with closing(open_store(postgres_store, "north", "main", roster=cluster.roster)) as store:
        with store.engine.connect() as connection:
            before, after = (
                int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000000")).scalar_one())
                for _ in range(2)
            )
        now = store.log.read(1, 0, 1).now_ns
        assert before * 1_000 <= after * 1_000 <= now
        with store.log.transaction() as held:
            assert held.now_ns() >= now
