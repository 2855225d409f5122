"""A PostgreSQL that says nothing any more, behind something that goes on to acknowledge."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, func, make_url
from sqlalchemy import select as asked

from coinswarm.cli import main
from coinswarm.errors import AmbiguousError, UnreachableError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.store import audit, schema, silence
from coinswarm.memory.store.engine import engine_of, place, translated, unhurried
from coinswarm.memory.store.opening import logs_in, migrated
from coinswarm.memory.store.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from coinswarm.memory.store.opening import Store


class Between:
    """Passes bytes on to a server's socket, until nothing comes back any more.

    :ivar url: of the server through it.
    :ivar silent: whether it passes nothing on; :ivar new_are_served: but over connections that were made since.
    """

    def __init__(self, url: str) -> None:
        there = make_url(url)
        self._target = f"{there.query['host']}/.s.PGSQL.{there.port or 5432}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://{there.username}@127.0.0.1:{port}/{there.database}"
        self.silent = threading.Event()
        self.new_are_served = False
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def silent_after(self, work: Callable[[Connection], None]) -> Callable[[Connection], None]:
        """The same, after which it is silent."""

        def done(connection: Connection) -> None:
            work(connection)
            self.silent.set()

        return done

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        served = self.silent.is_set() and self.new_are_served
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            super(socket.socket, server).connect(self._target)  # which pytest-socket has no word in
            while True:
                for one in select.select([client, server], [], [])[0]:
                    data = one.recv(1 << 16)
                    if not data:
                        return
                    if served or not self.silent.is_set():
                        (server if one is client else client).sendall(data)


@pytest.fixture
def between(postgres_store: str) -> Iterator[Between]:
    with closing(Between(postgres_store)) as made:
        yield made


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "SILENT_SECONDS", 0.6)


def told(between: Between) -> str:
    """What is said of it, as a pattern."""
    return rf"{between.url.split('@')[1]}.* does not answer \(it said nothing for 0.6 s\): see whether"


def test_facts_are_not_written_for_ever(served: Store, again: Callable[[Store, str], Store], between: Between) -> None:
    with closing(again(served, between.url)) as store:
        assert len(store.facts.add_vectors([b"1234"])) == 1
        between.silent.set()
        with pytest.raises(UnreachableError, match=told(between)):
            store.facts.add_vectors([b"5678"])
        between.silent.clear()
        assert len(store.facts.add_vectors([b"5678"])) == 1


def test_of_a_commit_that_nobody_answers_nobody_knows(
    served: Store, again: Callable[[Store, str], Store], between: Between
) -> None:
    with closing(again(served, between.url)) as store:
        event.listen(store.engine, "commit", lambda _: between.silent.set())
        with pytest.raises(AmbiguousError, match="gave no answer to a commit"):
            store.facts.add_vectors([b"1234"])


@pytest.mark.usefixtures("served")
def test_a_store_is_not_opened_for_ever(between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinswarm.memory.store.engine.BUSY_SECONDS", 2.0)
    engine = engine_of(place(between.url))
    event.listen(engine, "connect", lambda *_: between.silent.set(), insert=True)
    with pytest.raises(UnreachableError, match=told(between)), translated(place(between.url)):
        engine.connect()
    engine.dispose()
    for ask in (logs_in, migrated):
        with pytest.raises(UnreachableError, match="cannot be reached"):
            ask(between.url)


@pytest.mark.usefixtures("served")
def test_a_migration_is_given_up_where_nobody_works_on_it(
    between: Between, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path))
    between.new_are_served = True
    monkeypatch.setattr(schema, "unhurried", between.silent_after(unhurried))
    begun = time.monotonic()
    assert main(["memory", "migrate", "--store", between.url]) == 4
    assert time.monotonic() - begun < 10
    said = capsys.readouterr().err
    assert between.url.split("@")[1] in said
    assert "does not answer (it said nothing for 0.6 s): see whether it works and what lies between" in said


def test_what_takes_long_is_waited_for_as_long_as_it_is_worked_on(served: Store) -> None:
    """A migration of large tables, or the audit of a long log; asked in either way."""
    slow = asked(func.pg_sleep(1.5))
    with pytest.raises(UnreachableError), translated(served.place), served.engine.connect() as connection:
        connection.execute(slow)
    with served.engine.begin() as connection:
        unhurried(connection)
        connection.execute(slow)
        served.lines.over(connection).ask((Statement(asked(func.pg_sleep(1.6))), {}))
    with pytest.raises(UnreachableError), translated(served.place), served.engine.connect() as connection:
        connection.execute(slow)  # the next is in a hurry again


def test_a_log_is_verified_over_a_connection_that_falls_silent(
    served: Store, again: Callable[[Store, str], Store], between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    between.new_are_served = True
    with closing(again(served, between.url)) as store:
        monkeypatch.setattr(audit, "unhurried", between.silent_after(unhurried))
        with pytest.raises(UnreachableError, match="does not answer"):
            audit.verified(store, Ed25519Scheme())
