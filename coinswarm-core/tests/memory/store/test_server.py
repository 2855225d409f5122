"""A log on PostgreSQL: sessions that end at any moment, what a server may say, and servers that cannot be used."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, make_url, select, text

from coinswarm.errors import (
    AmbiguousError,
    CoinswarmError,
    NotReadyError,
    OperatorError,
    OutputError,
    RetryableError,
    UnreachableError,
)
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.log import Answer, Status, decide
from coinswarm.memory.store import silence
from coinswarm.memory.store.engine import engine_of, place, translated, unhurried
from coinswarm.memory.store.opening import logs_in, migrated, open_store
from coinswarm.memory.store.pipeline import PostgresLine
from coinswarm.memory.store.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memory.quorum.conftest import Cluster
    from psycopg.pq.abc import PGresult

    from coinswarm.memory.quorum.log import Answer
    from coinswarm.memory.store.opening import Store


def test_without_its_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        NotReadyError, match=r"takes psycopg, which is not installed: pip install 'coinswarm-core\[post"
    ):
        logs_in("postgres://somebody@somewhere/swarm")


def test_a_commit_without_an_answer_is_ambiguous_and_asking_again_is_safe(
    cluster: Cluster,
    served: Store,
    postgres_store: str,
    monkeypatch: pytest.MonkeyPatch,
    whole: Callable[[Store], int],
    again: Callable[[Store, str], Store],
) -> None:
    received, sent = PostgresLine._received, list[str]()

    def lost(line: PostgresLine, wanted: int) -> list[PGresult]:
        """It is done, and before that can be read, the connection is gone."""
        if sent[-1] == "COMMIT":
            assert not line._pg.flush()
            with closing(again(served, postgres_store)) as other, monkeypatch.context() as patch:
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
    assert whole(served) == 1, "this one was done"
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
    cluster: Cluster, served: Store, postgres_store: str, when: str, whole: Callable[[Store], int]
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
    assert whole(served) == 0, "this one was not done"
    assert [one.status for one in cluster.decide(request)] == [Status.DECIDED]


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        ("TRIGGER ending AFTER INSERT ON entry", UnreachableError),
        ("CONSTRAINT TRIGGER ending AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED", AmbiguousError),
    ],
)
def test_a_server_that_goes_is_ambiguous_when_it_had_come_to_the_commit(
    cluster: Cluster, served: Store, trigger: str, kind: type[CoinswarmError], whole: Callable[[Store], int]
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
    assert whole(served) == 0
    assert [one.status for one in cluster.decide(request)] == [Status.DECIDED]


def test_sessions_that_were_ended_meanwhile_are_made_anew(
    served: Store, postgres_store: str, whole: Callable[[Store], int]
) -> None:
    served.log.read(1, 0, 1)
    with killing(postgres_store) as kill:
        kill()
    with pytest.raises(RetryableError):
        served.log.read(1, 0, 1)
    assert whole(served) == 0


@contextmanager
def silenced(store: Store, url: str) -> Iterator[Callable[[], None]]:
    """Lets a server stand still where a lock of ours is wanted, until it is told to go on."""
    other = engine_of(place(url))
    with store.engine.begin() as connection:
        body = "BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END"
        connection.execute(text(f"CREATE FUNCTION waiting() RETURNS trigger AS $${body}$$ LANGUAGE plpgsql"))
        connection.execute(text("CREATE CONSTRAINT TRIGGER waiting AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED "
                                "FOR EACH ROW EXECUTE FUNCTION waiting()"))  # fmt: skip
    with other.connect() as holding:
        holding.execute(text("SELECT pg_advisory_xact_lock(7)"))
        yield holding.rollback
    other.dispose()
    with store.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION waiting CASCADE"))


def test_a_server_that_says_nothing_is_given_up(
    cluster: Cluster,
    served: Store,
    postgres_store: str,
    monkeypatch: pytest.MonkeyPatch,
    whole: Callable[[Store], int],
    again: Callable[[Store, str], Store],
) -> None:
    monkeypatch.setattr(silence, "SILENT_SECONDS", 0.3)
    wanted = Statement(select(func.pg_advisory_xact_lock(7)))
    request = cluster.request(cluster.envelope())
    with silenced(served, postgres_store) as goes_on, closing(again(served, postgres_store)) as store:
        with pytest.raises(UnreachableError, match="it said nothing for"), translated(store.place):  # noqa: SIM117
            with store.lines.reading() as line:
                line.ask((wanted, {}))
        with pytest.raises(AmbiguousError, match="gave no answer to a commit"):
            cluster.decide(request, log=store.log)
        goes_on()
    assert [one.status for one in cluster.decide(request)] == [Status.ALREADY], "it came to that when it went on"
    assert whole(served) == 1


def test_a_server_may_take_its_time_for_what_is_much(
    served: Store, postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENT_SECONDS", 0.01)
    with silenced(served, postgres_store) as goes_on, served.engine.begin() as connection:
        unhurried(connection)
        line = served.lines.over(connection)
        timer = threading.Timer(0.2, goes_on)
        timer.start()
        line.ask((Statement(select(func.pg_advisory_xact_lock(7))), {}))
        timer.join()


@pytest.mark.parametrize(
    ("code", "kind", "why"),
    [
        ("53100", OutputError, "has no space left .*: free some space on the server"),
        ("40001", UnreachableError, "undid it for the sake of another transaction"),
        ("42501", CoinswarmError, "does not allow it"),
        ("25006", UnreachableError, "is a replica, or read-only"),
        ("25P04", UnreachableError, "ended a transaction that took longer than it allows"),
    ],
)
def test_what_the_server_says_is_told_in_our_words(
    cluster: Cluster, served: Store, code: str, kind: type[CoinswarmError], why: str, whole: Callable[[Store], int]
) -> None:
    with served.engine.begin() as connection:
        connection.execute(text(f"CREATE FUNCTION pg_temp.fail() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'so' "
                                f"USING ERRCODE = '{code}'; END $$ LANGUAGE plpgsql"))  # fmt: skip
        connection.execute(text("CREATE TRIGGER failing BEFORE INSERT ON entry EXECUTE FUNCTION pg_temp.fail()"))
    with pytest.raises(kind, match=why):
        cluster.decide(cluster.request(cluster.envelope()))
    with served.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER failing ON entry"))
    assert whole(served) == 0


def test_a_constraint_that_fails_at_the_commit_is_not_ambiguous(
    cluster: Cluster, served: Store, whole: Callable[[Store], int]
) -> None:
    with served.engine.begin() as connection:
        connection.execute(text("CREATE FUNCTION pg_temp.fail() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'so' "
                                "USING ERRCODE = '40001'; END $$ LANGUAGE plpgsql"))  # fmt: skip
        connection.execute(text("CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED "
                                "FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()"))  # fmt: skip
    with pytest.raises(UnreachableError, match="undid it"):
        cluster.decide(cluster.request(cluster.envelope()))
    with served.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER failing ON entry"))
    assert whole(served) == 0


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sslmode", "bogus"),
        ("port", "99999"),
        ("nosuchoption", "1"),
        ("connect_timeout", "abc"),
        ("options", "-c search_pth=north"),
        ("options", "-csearch_path=north -x"),
    ],
)
def test_a_url_that_sets_what_cannot_be_is_not_tried_again(postgres_url: str, name: str, value: str) -> None:
    url = make_url(postgres_url).update_query_dict({name: value}).render_as_string(hide_password=False)
    with pytest.raises(OperatorError, match=r"cannot be reached as it is asked to be .*: see what its address sets"):
        logs_in(url)


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


@pytest.mark.parametrize("how", ["url", "server", "environment"])
def test_texts_are_sent_and_read_as_they_are_whatever_encoding_is_asked_for(
    cluster: Cluster,
    databases: Callable[[str], str],
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    whole: Callable[[Store], int],
    again: Callable[[Store, str], Store],
) -> None:
    url = databases("coinswarm_empty")
    migrated(url)
    other = url
    if how == "url":
        other = make_url(url).update_query_dict({"client_encoding": "latin1"}).render_as_string(hide_password=False)
    elif how == "server":
        run(url, "ALTER DATABASE coinswarm_empty SET client_encoding = latin1")
    else:
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with closing(open_store(other, "north", "main", roster=cluster.roster, clock=lambda: cluster.now)) as store:
        cluster.log = store.log
        cluster.commit(cluster.proposal("Zürich, 東京"))
        assert whole(store) == 1
        monkeypatch.delenv("PGCLIENTENCODING", raising=False)
        run(url, "ALTER DATABASE coinswarm_empty RESET ALL")
        with closing(again(store, url)) as read:
            assert whole(read) == 1


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_keeps_texts_otherwise_is_refused(databases: Callable[..., str], encoding: str) -> None:
    how = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    url = databases(f"coinswarm_{encoding.lower()}", how)
    with pytest.raises(OperatorError, match=rf"keeps texts in {encoding}, and the log takes UTF8: make another: creat"):
        migrated(url)


@pytest.mark.parametrize(
    ("options", "path", "wait"),
    [
        ((), '"$user", public', "5s"),
        ("-csearch_path=north", "north", "5s"),
        (("-csearch_path=north", "-c lock_timeout=7s"), "north", "7s"),
    ],
)
def test_no_lock_is_waited_for_longer_whatever_else_a_url_sets(
    postgres_url: str, options: str | tuple[str, ...], path: str, wait: str
) -> None:
    url = make_url(postgres_url).update_query_dict({"options": options})
    engine = engine_of(place(url.render_as_string(hide_password=False)))
    with engine.connect() as connection:
        shown = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in ("search_path", "lock_timeout")]
    engine.dispose()
    assert shown == [path, wait]


def run(url: str, statement: str) -> None:
    """Run one statement."""
    engine = engine_of(place(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_who_stops_in_the_middle_of_a_decision_does_not_keep_others_from_theirs(
    cluster: Cluster, served: Store, postgres_store: str, whole: Callable[[Store], int]
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
    assert whole(served) == 1
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
