"""A whole swarm, on drivers that need no server and on real servers: four voters, a coordinator, a submitter."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, select, text

from coinswarm.canonical import digest
from coinswarm.domain.acceptance import OPERATOR, Evidence, Verdict
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalBusSettings, LocalMemorySettings
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.quorum.verify import verify
from coinswarm.memory.store.opening import migrated, open_store
from coinswarm.runtime.swarm.embedded import Cast, EmbeddedSwarm
from coinswarm.runtime.swarm.parts import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.records import Entry, Outcome
    from coinswarm.memory.store.opening import Store
    from coinswarm.ports import MessageBus

CLUSTER, SHARD = "north", "main"
VOTERS = {"v1": DecimalVoter(), "v2": IntegerVoter(), "v3": DecimalVoter(), "v4": IntegerVoter()}
SIGNERS = {name: Ed25519Signer(bytes([place]) * 32) for place, name in enumerate([*VOTERS, OPERATOR], 1)}
ROSTER = Roster(
    version=0,
    faulty=1,
    rules=digest("rules"),
    voters=tuple(Seat(name, SIGNERS[name].key) for name in VOTERS),
    submitters=(Seat(OPERATOR, SIGNERS[OPERATOR].key),),
)
YEAR_SECONDS = 366.0 * 86_400


@dataclass(frozen=True)
class Drivers:
    """What a swarm runs on.

    :param url: of the store, whose tables are there.
    :param bus, memory: make one.
    """

    url: str
    bus: Callable[[], MessageBus]
    memory: Callable[[], MemoryBackend]


def _embedded(folder: Path) -> Drivers:
    """One process, without any server."""
    url = str(folder / "swarm.db")
    migrated(url)
    settings = LocalMemorySettings(path=str(folder / "index.sqlite"))
    return Drivers(url, lambda: LocalBus(LocalBusSettings()), lambda: LocalMemory(settings))


@pytest.fixture(scope="session")
def database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty store on a real PostgreSQL."""
    name = f"coinswarm_{secrets.token_hex(4)}"
    plain = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    migrated(url)
    yield url
    with plain.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    plain.dispose()


def _servers(request: pytest.FixtureRequest) -> Drivers:
    """PostgreSQL, NATS and Redis."""
    from coinswarm_nats.bus import NatsBus  # noqa: PLC0415 - only where there are servers
    from coinswarm_nats.settings import NatsSettings  # noqa: PLC0415
    from coinswarm_redis.backend import RedisMemory  # noqa: PLC0415
    from coinswarm_redis.settings import RedisSettings  # noqa: PLC0415

    url, nats, redis = (request.getfixturevalue(name) for name in ("database", "nats_url", "redis_url"))
    own = f"e{secrets.token_hex(4)}"
    return Drivers(
        url,
        lambda: NatsBus(NatsSettings(url=nats, prefix=own)),
        lambda: RedisMemory(RedisSettings(url=redis, prefix=own)),
    )


@pytest.fixture(params=["embedded", "servers"])
def drivers(request: pytest.FixtureRequest, tmp_path: Path) -> Drivers:
    """Each kind."""
    return _embedded(tmp_path) if request.param == "embedded" else _servers(request)


@dataclass
class World:
    """A swarm with its store, and a clock that only the test moves.

    :ivar now_ns: the log's clock.
    """

    drivers: Drivers
    folder: Path
    now_ns: int = 1_704_067_200_000_000_000  # 2024-01-01T00:00:00Z
    cluster: str = field(default_factory=lambda: f"{CLUSTER}-{secrets.token_hex(4)}")
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store: Store = open_store(self.drivers.url, self.cluster, SHARD, roster=ROSTER, clock=lambda: self.now_ns)
        self.gather = Gatherer(self.store)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """Where another part can take part."""
        async with self.drivers.bus() as bus:
            yield Place(self.cluster, SHARD, ROSTER, Ed25519Scheme(), bus, self.store.log)

    def vectors(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Committed ones."""
        with self.store.facts.reader() as facts:
            return facts.vectors(digests)

    @asynccontextmanager
    async def swarm(self) -> AsyncIterator[EmbeddedSwarm]:
        """All parts of the quorum, running."""
        voters = {name: (SIGNERS[name], VOTERS[name]) for name in VOTERS}
        cast = Cast(roster=ROSTER, voters=voters, submitter=OPERATOR, signer=SIGNERS[OPERATOR])
        async with (
            self.drivers.bus() as bus,
            EmbeddedSwarm(
                self.cluster, SHARD, cast, self.folder / "parts", bus, self.store.log, self.gather, self.said.append
            ) as running,
        ):
            yield running

    async def decide(self, swarm: EmbeddedSwarm, proposal: Proposal) -> Decision:
        """Have a proposal decided, however far the test has moved the clock since the swarm last looked at it."""
        ended = await swarm.propose(proposal, seconds=10 * YEAR_SECONDS)
        entry = next(one for one in reversed(self.entries()) if one.envelope.id == ended.proposal)
        assert entry.outcome is ended.outcome
        return Decision(self, entry)

    def entries(self) -> tuple[Entry, ...]:
        """The log."""
        return tuple(self.store.log.read(0, 0, 1_000_000).entries)

    def decisions(self) -> list[Decision]:
        """All of them, with why."""
        return [Decision(self, entry) for entry in self.entries()]

    def rows(self, table: type[Any]) -> list[Any]:
        """All rows of a table that are this swarm's."""
        with self.store.engine.connect() as connection:
            asked = select(table.__table__).where(table.log == self.store.log.number)
            return list(connection.execute(asked).all())

    def clean(self) -> None:
        """Nobody had anything to say, and the log stands up to verification."""
        report = verify(
            genesis(self.cluster, SHARD, self.store.first),
            self.entries(),
            self.store.log.read(0, 0, 0).head,
            Ed25519Scheme(),
        )
        assert not report.why
        assert self.said == []


@dataclass(frozen=True)
class Decision:
    """An entry of the log, and why.

    :param world: in whose log it stands.
    """

    world: World
    entry: Entry

    @property
    def outcome(self) -> Outcome:
        """How the proposal ended."""
        return self.entry.outcome

    @property
    def evidence(self) -> Evidence:
        """What the voters were shown."""
        found = self.world.gather.at(self.entry.envelope, self.entry.index - 1, self.entry.at_ns)
        assert found is not None
        return found

    @property
    def verdict(self) -> Verdict:
        """What was signed: both bundled voters find it again, and it is what the ballots in the log carry."""
        told = [voter.evaluate(self.entry.envelope.proposal, self.evidence) for voter in VOTERS.values()]
        signed = {findings(verdict, self.evidence) for verdict in told}
        assert {ballot.findings for ballot in self.entry.proof} == signed
        assert len({ballot.voter for ballot in self.entry.proof}) >= ROSTER.quorum
        return told[0]


@pytest.fixture
def world(drivers: Drivers, tmp_path: Path) -> Iterator[World]:
    """A swarm that has decided nothing yet."""
    made = World(drivers, tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"
