"""The bound of ``commit.py``: a quorum of four voters with nothing left in it that can be left out, as five processes.

Each voter checks the submitter's signature, reads trade, vector, head and clock from PostgreSQL in one statement, holds
both to their digests, signs a ballot, has it on its disk and sends it by NATS. The coordinator, which proposes too,
checks three ballots, links an entry to the head that it has locked, and commits it with them. All of it is called in
one thread, by nats-py, psycopg and libsodium, in the order in which it must happen.

What is left out is what makes it a quorum that one can live with: rules of acceptance and plugins that judge by them,
whoever reads the log and verifies it, a second coordinator, a lease, a takeover, proposals that come twice, servers
that go away, and a submitter in a process of its own, which would hear of the commit by one message more. So it is a
bound, and no peer.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nats
import psycopg
from nacl.signing import SigningKey

from coinswarm.runtime import looping
from coinswarm_testkit.servers.nats import nats_server
from coinswarm_testkit.servers.postgres import postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nats.aio.msg import Msg

VOTERS, QUORUM, WARM = 4, 3, 50
PATIENCE = 30.0
"""Seconds for which an outcome may be overdue; nats-py only logs what goes wrong where a message is heard."""

SIGNATURE = 64
KEYS = [SigningKey(bytes([number + 1]) * 32) for number in range(VOTERS + 1)]
"""Of the voters, and last the submitter's."""

TABLES = (
    "CREATE TABLE trade (id text PRIMARY KEY, body text NOT NULL)",
    "CREATE TABLE vector (digest text PRIMARY KEY, data bytea NOT NULL)",
    "CREATE TABLE head (log integer PRIMARY KEY, position bigint NOT NULL, hash text NOT NULL)",
    "INSERT INTO head VALUES (1, 0, '')",
    (
        "CREATE TABLE entry (position bigint PRIMARY KEY, hash text NOT NULL, at_ns bigint NOT NULL, "
        "proposal text NOT NULL UNIQUE, body text NOT NULL, signature bytea NOT NULL)"
    ),
    (
        "CREATE TABLE ballot (proposal text, voter integer, body text NOT NULL, signature bytea NOT NULL, "
        "PRIMARY KEY (proposal, voter))"
    ),
)
CLOCK = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000"
EVIDENCE = (
    f"SELECT trade.body, vector.data, head.position, head.hash, {CLOCK} FROM trade, vector, head "  # noqa: S608 - ours
    "WHERE trade.id = %s AND vector.digest = %s AND head.log = 1"
)
HEAD = f"SELECT position, hash, {CLOCK} FROM head WHERE log = 1 FOR UPDATE"  # noqa: S608 - as above


class Case(NamedTuple):
    """A proposal that is open.

    :param votes: voter, body and signature of each ballot that was checked.
    :param committed: becomes the time at which the database had committed it.
    """

    body: bytes
    signature: bytes
    votes: list[tuple[int, str, bytes]]
    committed: asyncio.Future[float]


def commit_seconds(seconds: float, rate: float) -> list[float]:
    """Seconds from each proposal, at a steady rate on servers of its own, until PostgreSQL had committed it.

    :raises TimeoutError: something went wrong, and was logged.
    """
    with (
        tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as folder,
        postgres_server() as postgres,
        nats_server(alone=False) as bus,
        ExitStack() as stack,
    ):
        database = postgres.url.replace("postgresql+psycopg:", "postgresql:")
        facts = _filled(database, WARM + int(seconds * rate))
        for number in range(VOTERS):
            stack.enter_context(_voter(number, bus.url, database, folder))
        return looping.run(lambda: _led(bus.url, database, facts, rate))


def _filled(database: str, number: int) -> list[tuple[str, str, str]]:
    """Make tables, and of so many trades the id, its digest, and the digest of a vector."""
    facts, vectors = [], []
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement.encode())
        for place in range(number):
            body, vector = json.dumps({"id": place, "result_ppm": place % 1_000, "why": "x" * 200}), os.urandom(32)
            facts.append((f"trade-{place}", sha256(body.encode()).hexdigest(), sha256(vector).hexdigest()))
            vectors.append((facts[-1][2], vector))
            cursor.execute("INSERT INTO trade VALUES (%s, %s)", (facts[-1][0], body))
        cursor.executemany("INSERT INTO vector VALUES (%s, %s)", vectors)
    return facts


@contextmanager
def _voter(number: int, *where: str) -> Iterator[None]:
    """A voter's process, ready; ended with the block."""
    command = [sys.executable, __file__, str(number), *where]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - this script
        assert process.stdout is not None, "piped"
        try:
            if not process.stdout.readline():
                message = f"a voter of the bare quorum ended with {process.wait()}"
                raise RuntimeError(message)
            yield
        finally:
            process.kill()


async def _led(url: str, database: str, facts: Sequence[tuple[str, str, str]], rate: float) -> list[float]:
    """Propose, collect ballots, and commit."""
    taken: list[float] = []
    cases: dict[str, Case] = {}
    connection = psycopg.connect(database, autocommit=True, prepare_threshold=0)
    client = await nats.connect(url)

    async def hear(message: Msg) -> None:
        signature, body = message.data[:SIGNATURE], message.data[SIGNATURE:]
        ballot = json.loads(body)
        case = cases.get(ballot["proposal"])
        if case is None:
            return
        KEYS[ballot["voter"]].verify_key.verify(body, signature)
        assert ballot["accepts"], ballot
        case.votes.append((ballot["voter"], body.decode(), signature))
        if len(case.votes) == QUORUM:
            del cases[ballot["proposal"]]
            _commit(connection, ballot["proposal"], case)
            case.committed.set_result(time.perf_counter())

    async def one(place: int) -> None:
        begin = time.perf_counter()
        trade, digest, vector = facts[place]
        body = _text({"trade": trade, "digest": digest, "vector": vector, "nonce": place, "submitter": "desk"})
        signature = KEYS[VOTERS].sign(body).signature
        case = Case(body, signature, [], asyncio.get_running_loop().create_future())
        cases[sha256(body).hexdigest()] = case
        await client.publish("bare.propose", signature + body)
        taken.append(await case.committed - begin)

    await client.subscribe("bare.vote", cb=hear)
    async with asyncio.timeout(PATIENCE):
        for place in range(WARM):
            await one(place)
    taken.clear()
    looping.settle()
    begin = time.perf_counter()
    async with asyncio.timeout(len(facts) / rate + PATIENCE), asyncio.TaskGroup() as group:
        for place in range(len(facts) - WARM):
            await asyncio.sleep(max(0.0, begin + place / rate - time.perf_counter()))
            group.create_task(one(WARM + place))
    await client.close()
    connection.close()
    return taken


def _commit(connection: psycopg.Connection[Any], proposal: str, case: Case) -> None:
    """The entry behind the head, with its ballots, in one transaction."""
    with connection.transaction():
        found = connection.execute(HEAD.encode()).fetchone()
        assert found is not None, "made with the tables"
        position, before, at_ns = found
        link = sha256(f"{before} {position + 1} {at_ns} {proposal}".encode()).hexdigest()
        with connection.pipeline():
            entry = (position + 1, link, at_ns, proposal, case.body.decode(), case.signature)
            connection.execute("INSERT INTO entry VALUES (%s, %s, %s, %s, %s, %s)", entry)
            for vote in case.votes:
                connection.execute("INSERT INTO ballot VALUES (%s, %s, %s, %s)", (proposal, *vote))
            connection.execute("UPDATE head SET position = %s, hash = %s WHERE log = 1", (position + 1, link))


async def _votes(number: int, url: str, database: str, folder: str) -> None:
    """Vote until it is killed."""
    connection = psycopg.connect(database, autocommit=True, prepare_threshold=0)
    disk = os.open(Path(folder) / f"{number}.ballots", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    client = await nats.connect(url)

    async def hear(message: Msg) -> None:
        signature, body = message.data[:SIGNATURE], message.data[SIGNATURE:]
        KEYS[VOTERS].verify_key.verify(body, signature)
        asked = json.loads(body)
        found = connection.execute(EVIDENCE.encode(), (asked["trade"], asked["vector"])).fetchone()
        accepts = (
            found is not None
            and sha256(found[0].encode()).hexdigest() == asked["digest"]
            and sha256(found[1]).hexdigest() == asked["vector"]
        )
        seen = [found[2], found[3]] if found else []
        ballot = _text({"proposal": sha256(body).hexdigest(), "voter": number, "accepts": accepts, "seen": seen})
        kept = KEYS[number].sign(ballot).signature + ballot
        os.write(disk, kept)
        os.fdatasync(disk)
        await client.publish("bare.vote", kept)

    await client.subscribe("bare.propose", cb=hear)
    await client.flush()
    looping.settle()
    print("ready", flush=True)
    await asyncio.Event().wait()


def _text(what: dict[str, Any]) -> bytes:
    return json.dumps(what, sort_keys=True, separators=(",", ":")).encode()


if __name__ == "__main__":
    looping.run(lambda: _votes(int(sys.argv[1]), *sys.argv[2:]))
