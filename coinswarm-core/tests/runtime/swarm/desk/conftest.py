"""A swarm with a desk, on a log in a file, that may be started again and again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import anyio
import pytest
from sqlalchemy import select

from coinswarm.domain.proposal import ROSTER_KEY, AddEpisode, Configure, Proposal, ProposalKind, episodes_of
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import UnreachableError
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.log import Request, decide, take
from coinswarm.memory.quorum.records import START, Ballot, Envelope, Outcome
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT, Seat
from coinswarm.memory.store.audit import entries_of, verified
from coinswarm.memory.store.models import Episode
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.embedded import EmbeddedSwarm
from coinswarm_testkit.chaos.stage import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from coinswarm.memory.quorum.keys import Ed25519Signer
    from coinswarm.memory.quorum.log import Transaction
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.swarm.desk import Desk, Ended
    from coinswarm.runtime.swarm.embedded import Cast

SECONDS = 30.0


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what other tasks do."""
    with anyio.fail_after(60):
        while not holds():  # noqa: ASYNC110 - they tell nobody
            await anyio.sleep(0.01)


class Life(NamedTuple):
    """One life of a swarm."""

    store: Store
    swarm: EmbeddedSwarm
    ends: dict[int, Ended]

    async def ask(self, *asked: Proposal) -> None:
        """Propose all at once; returns when each has its outcome, in ``ends`` by its place."""

        async def one(place: int, proposal: Proposal) -> None:
            self.ends[place] = await self.swarm.propose(proposal, seconds=SECONDS)

        async with anyio.create_task_group() as group:
            for place, proposal in enumerate(asked):
                group.start_soon(one, place, proposal)

    @property
    def desk(self) -> Desk:
        """While it runs."""
        found = self.swarm._desk
        assert found is not None
        return found

    async def until_kept(self, count: int) -> None:
        """Wait for so many proposals to be on their way."""
        await until(lambda: self.kept == count)

    @property
    def kept(self) -> int:
        """How many proposals are on their way."""
        return len(self.desk.node.state.outbox)

    @property
    def outcomes(self) -> list[Outcome]:
        """In the order in which it was asked."""
        return [self.ends[place].outcome for place in range(len(self.ends))]


class World:
    """A log in a file, and a swarm with its disks that may be started again and again.

    :ivar away: whether nothing can be written to the log now.
    """

    SECONDS = SECONDS
    """How long each that is asked for may take."""

    def __init__(self, store: Store, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.cast, self.folder = store, cast, folder
        self.away, self._transaction = False, store.log.transaction
        monkeypatch.setattr(store.log, "transaction", self._writes)

    def _writes(self) -> AbstractContextManager[Transaction]:
        if self.away:
            message = "the database is away"
            raise UnreachableError(message)
        return self._transaction()

    def life(self) -> Life:
        """A swarm, to be started."""
        bus = LocalBus(LocalBusSettings())
        swarm = EmbeddedSwarm(
            CLUSTER, "main", self.cast, self.folder, bus, self.store.log, Gatherer(self.store)
        )  # fmt: skip
        return Life(self.store, swarm, {})

    @property
    def log(self) -> list[Entry]:
        """All that was decided."""
        log = self.store.log
        return list(entries_of(log, log.read(0, 0, 0).head.index))

    @property
    def sizes(self) -> list[tuple[int, Outcome]]:
        """Of each entry: how many episodes, and what came of them."""
        return [(len(episodes_of(entry.envelope.proposal.change)), entry.outcome) for entry in self.log]

    @property
    def kept(self) -> set[str]:
        """Episodes that are remembered."""
        with self.store.engine.connect() as connection:
            return {row.id for row in connection.execute(select(Episode.id))}

    async def until_on_disk(self, count: int) -> None:
        """Wait for so many proposals to lie on the submitter's disk, whose swarm is running."""
        with closing(sqlite3.connect(self.folder / "desk.sqlite")) as disk:
            counted = "SELECT count(*) FROM kept WHERE kind = 'proposal'"
            await until(lambda: disk.execute(counted).fetchone() == (count,))

    @property
    def disk(self) -> list[Proposal]:
        """What the submitter's disk holds, of a swarm that is not running."""
        with Disk(self.folder / "desk.sqlite", "desk", CLUSTER, "main") as disk:
            return [envelope.proposal for envelope in disk.proposals()]

    def clean(self, ends: dict[int, Ended] | None = None) -> None:
        """The log is whole, and says what was told."""
        assert verified(self.store, Ed25519Scheme()).why == ""
        told = {entry.envelope.id: entry for entry in self.log}
        for ended in (ends or {}).values():
            assert (told[ended.proposal].outcome, told[ended.proposal].index) == (ended.outcome, ended.entry)

    def give_key(self, signer: Ed25519Signer) -> None:
        """Have the roster give the submitter another key, while no swarm is running."""
        cast, log = self.cast, self.store.log
        new = replace(cast.roster, version=1, submitters=(Seat("desk", signer.key),))
        change = Configure(ROSTER_KEY, new.text())
        asked = Proposal(kind=ProposalKind.CONFIGURE, subject=ROSTER_SUBJECT, base_version=0, change=change)
        envelope = Envelope(
            cluster=CLUSTER, shard="main", roster=0, submitter="desk", nonce=1, deadline_ns=1 << 62, proposal=asked
        ).signed(cast.signer)
        proof = tuple(
            Ballot(
                cluster=CLUSTER, shard="main", roster=0, proposal=envelope.id, accepts=True, findings="0" * 64,
                voter=name, seen=START,
            ).signed(voter)
            for name, (voter, _) in sorted(cast.voters.items())[:3]
        )  # fmt: skip
        [answer] = decide(log, [Request(envelope=envelope, proof=proof, epoch=take(log, "c0").epoch)], Ed25519Scheme())
        assert answer.outcome is Outcome.ACCEPT
        self.cast = replace(cast, signer=signer)

    @staticmethod
    async def until(holds: Callable[[], bool]) -> None:
        """Wait for what other tasks do."""
        await until(holds)

    @staticmethod
    def ids(proposals: Sequence[Proposal]) -> set[str]:
        """The episodes that these would remember."""
        return {added.episode.id for one in proposals for added in episodes_of(one.change)}

    @staticmethod
    def lied(proposal: Proposal) -> Proposal:
        """The same with another result than its trade had."""
        change = proposal.change
        assert isinstance(change, AddEpisode)
        return replace(proposal, change=replace(change, episode=replace(change.episode, result_ppm=1_000_000)))

    @staticmethod
    def unfounded(proposal: Proposal) -> Proposal:
        """The same on a trade that is not committed."""
        change = proposal.change
        assert isinstance(change, AddEpisode)
        trade = replace(change.trade, digest="0" * 64)
        return replace(proposal, change=replace(change, trade=trade), evidence=(trade,))


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


@pytest.fixture
def world(store: Store, bundled: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """With an empty log."""
    return World(store, bundled, tmp_path / "disks", monkeypatch)
