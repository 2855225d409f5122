"""The stage: PostgreSQL, NATS, Redis, a founded quorum, its processes, and episodes that wait to be proposed."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.clock import DAY_NS, SECOND_NS, SystemClock
from coinswarm.config.swarm import SwarmProfile, load_swarm
from coinswarm.domain.episode import Episode, Space
from coinswarm.domain.proposal import AddEpisode, episodes_of, single
from coinswarm.errors import InvariantError
from coinswarm.runtime.swarm.opening import roster_of
from coinswarm_testkit.chaos.victims import CLI, PartVictim, ServerVictim, Victim, children
from coinswarm_testkit.servers.nats import nats_server
from coinswarm_testkit.servers.postgres import postgres_server
from coinswarm_testkit.servers.redis import free_port, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.store.opening import Store

CLUSTER, SPACE, DIMENSION = "north", "trend/state.1", 8
UNTRUE_PPM = 1_000_000
"""A result that no trade here had."""

VOTERS, COORDINATORS = ("v1", "v2", "v3", "v4"), ("c1", "c2")


@dataclass(frozen=True, slots=True)
class Stage:
    """What is played on.

    :param about: the servers, a line each.
    """

    profile: SwarmProfile
    path: Path
    database: str
    redis: str
    victims: tuple[Victim, ...]
    about: tuple[str, ...]

    @property
    def parts(self) -> list[PartVictim]:
        """The processes of the quorum."""
        return [victim for victim in self.victims if isinstance(victim, PartVictim)]


@contextmanager
def staged(folder: Path, *, index: bool = True) -> Iterator[Stage]:
    """Start everything, in a folder of its own; what was started is ended.

    :param index: whether a projection keeps an index in Redis.
    :raises NoServerError: when a server is not to be had here.
    :raises InvariantError: when a command fails.
    """
    with ExitStack() as stack:
        home = os.environ.get("COINSWARM_HOME")
        os.environ["COINSWARM_HOME"] = str(folder / "home")
        stack.callback(_restore, home)
        others = [*children("postgres"), *children("nats-server"), *children("redis-server")]
        postgres = stack.enter_context(postgres_server("max_connections=100"))
        nats = stack.enter_context(nats_server("# ours", port=free_port(), alone=False))
        redis = stack.enter_context(redis_server("--appendonly", "no"))
        port = redis.url.rpartition(":")[2]  # Redis overwrites the command line that its process shows
        again = ("--bind", "127.0.0.1", "--port", port, "--dir", str(folder), "--save", "", "--appendonly", "no")
        servers = [
            ServerVictim("postgres", "postgres", folder / "postgres.output", others),
            ServerVictim("nats", "nats-server", folder / "nats.output", others),
            ServerVictim("redis", "redis-server", folder / "redis.output", others, again),
        ]
        os.environ["COINSWARM_CHAOS_DATABASE"] = postgres.url
        stack.callback(os.environ.pop, "COINSWARM_CHAOS_DATABASE", None)
        _command("memory", "migrate", "--store", postgres.url)
        _command("memory", "init", "--cluster", CLUSTER, "--out", str(folder))
        path = folder / f"{CLUSTER}-main.toml"
        text = path.read_text(encoding="utf-8").replace("nats://127.0.0.1:4222", nats.url)
        text = text.replace('database = "north.sqlite"', 'database = {env = "COINSWARM_CHAOS_DATABASE"}')
        text = f'plugins = ["redis"]\n\n[memory]\nbackend = "redis"\nsettings = {{ url = "{redis.url}" }}\n{text}'
        path.write_text(text, encoding="utf-8")
        victims: list[Victim] = list(servers)
        words = [
            *((name, "voter", ("voter", "--id", name)) for name in VOTERS),
            *((name, "coordinator", ("coordinator", "--id", name)) for name in COORDINATORS),
            *([("projection", "projection", ("projection",))] if index else []),
        ]
        for victim in servers:
            stack.callback(victim.end)
        for name, kind, command in words:
            given = (*CLI, "run", *command, "--profile", str(path))
            part = PartVictim(name, kind, given, folder / f"{name}.output")
            stack.callback(part.end)
            victims.append(part)
        about = (postgres.about, nats.about, redis.about)
        yield Stage(load_swarm(path), path, postgres.url, redis.url, tuple(victims), about)


def _restore(home: str | None) -> None:
    if home is None:
        os.environ.pop("COINSWARM_HOME", None)
    else:
        os.environ["COINSWARM_HOME"] = home


def _command(*words: str) -> None:
    """Run a command of ours in this process."""
    from coinswarm.cli import main  # noqa: PLC0415 - click, for who stages

    code = main(words)
    if code:
        message = f"coinswarm {' '.join(words[:2])} ended with {code}"
        raise InvariantError(message)


@contextmanager
def opened(stage: Stage) -> Iterator[Store]:
    """The store, beside the processes."""
    from coinswarm.memory.store.opening import open_store  # noqa: PLC0415 - SQLAlchemy, for who stages

    section = stage.profile.swarm
    store = open_store(stage.database, section.cluster, section.shard, roster=roster_of(section))
    try:
        yield store
    finally:
        store.close()


def episodes(store: Store, number: int, *, first: int = 0) -> list[Proposal]:
    """Facts of closed trades in the store, and proposals to remember each.

    :param first: number of the first, so that another call makes others.
    """
    from decimal import Decimal  # noqa: PLC0415 - prices of a ledger

    from coinswarm.memory.store.facts import ClosedTrade  # noqa: PLC0415 - SQLAlchemy, for who stages

    rng = np.random.default_rng(first)
    begin = SystemClock().now_ns() - 30 * DAY_NS
    trades = []
    for place in range(first, first + number):
        decided = begin + place * SECOND_NS
        episode = Episode(
            id=sha256(f"chaos {place}".encode()).hexdigest(),
            agent="trend",
            instrument="BTC/USD",
            side=1 if place % 2 else -1,
            decided_ns=decided,
            known_ns=decided + SECOND_NS,
            result_ppm=place % 1_000 - 400,
        )
        trades.append(
            ClosedTrade(
                episode=episode,
                entry_price=Decimal(100),
                exit_price=Decimal(101),
                pnl=place,
                slippage_bps=1,
                opened_ns=decided,
                closed_ns=decided + SECOND_NS,
            )
        )
    vectors = [row.tobytes() for row in rng.standard_normal((number, DIMENSION)).astype("<f4")]
    store.facts.add_space(Space(store.log.cluster, SPACE, DIMENSION))
    cited = store.facts.add_trades(trades)
    digests = store.facts.add_vectors(vectors)
    return [
        single(
            AddEpisode(space=SPACE, dimension=DIMENSION, episode=trade.episode, vector_digest=digest, trade=reference)
        )
        for trade, reference, digest in zip(trades, cited, digests, strict=True)
    ]


def changes_of(proposals: Sequence[Proposal]) -> dict[str, Episode]:
    """Episode by id, of proposals to remember them."""
    return {added.episode.id: added.episode for one in proposals for added in episodes_of(one.change)}


def untrue(proposal: Proposal) -> Proposal:
    """The same, of a result that the trade did not have: it must be rejected."""
    change = proposal.change
    assert isinstance(change, AddEpisode), "made here"
    return replace(proposal, change=replace(change, episode=replace(change.episode, result_ppm=UNTRUE_PPM)))


def is_untrue(proposal: Proposal) -> bool:
    """Whether it was made so."""
    return any(added.episode.result_ppm == UNTRUE_PPM for added in episodes_of(proposal.change))
