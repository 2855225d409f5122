"""Parts on their own nodes: seals are copied, a full disk is waited for, a changed entry stops who reads it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import HaltedError, OutputError
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.messages import Propose
from coinswarm.memory.quorum.records import Envelope, Outcome
from coinswarm.memory.quorum.verify import verify
from coinswarm.runtime.swarm.assembly import copy_seal
from coinswarm.runtime.swarm.desk import Desk
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.judging import Judge
from coinswarm.runtime.swarm.parts import Place, coordinator_node, voter_node
from coinswarm.runtime.swarm.signatures import Remembering
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from runtime.swarm.conftest import Shard

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.messages import Keep, Remember, Vote
    from coinswarm.memory.quorum.reader import LogRead
    from coinswarm.memory.quorum.records import SealVote

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


class Full(Disk):
    """A disk that has no room at first."""

    room = 0

    def write(self, jobs: Sequence[Keep | Remember], done: Iterable[str] = ()) -> list[Propose | Vote | SealVote]:
        if self.room > 0:
            self.room -= 1
            message = "no space left"
            raise OutputError(message)
        return super().write(jobs, done)


async def played(
    shard: Shard,
    folder: Path,
    proposals: Sequence[Proposal],
    *,
    full: int = 0,
    until: Callable[[], bool] = lambda: True,
) -> list[str]:
    """Parts of every kind, two entries to a seal; what they said once everything is accepted, and ``until`` holds.

    :param full: how often the disk of ``v0`` has no room.
    """
    said: list[str] = []
    with ExitStack() as disks:

        def disk(name: str, kind: type[Disk] = Disk) -> Disk:
            return disks.enter_context(kind(folder / f"{name}.sqlite", name, "north", "main"))

        async with LocalBus(LocalBusSettings()) as bus, anyio.create_task_group() as group:
            place = Place("north", "main", shard.cast.roster, Remembering(Ed25519Scheme()), bus, shard.log)
            for name, (signer, plugin) in shard.cast.voters.items():
                teller = Teller(name, said.append)
                kept = disk(name, Full if name == "v0" else Disk)
                if isinstance(kept, Full):
                    kept.room = full
                judge = Judge(name, plugin, shard.gather, teller, lambda: 0.0)
                await group.start(voter_node(place, name, signer, kept, judge, teller, seal_every=2).run)
            keep_seal = partial(copy_seal, folder / "c1.seals")
            node = coordinator_node(place, "c1", disk("c1"), Teller("c1", said.append), keep_seal=keep_seal)
            await group.start(node.run)
            desk = Desk(place, "desk", shard.cast.signer, disk("desk"), Teller("desk", said.append))
            await group.start(desk.run)
            for number, proposal in enumerate(proposals, 1):
                ended = await desk.propose(proposal)
                assert (ended.outcome, ended.entry) == (Outcome.ACCEPT, number)
            with anyio.fail_after(30):
                while not until():  # noqa: ASYNC110 - a file that a thread writes
                    await anyio.sleep(0.02)
            group.cancel_scope.cancel()
    return said


async def test_seals_are_copied_where_the_log_is_held_against_them(
    shard: Shard, tmp_path: Path, propose: Callable[..., Proposal]
) -> None:
    path = tmp_path / "c1.seals"
    said = await played(
        shard,
        tmp_path,
        [propose(base=base) for base in range(4)],
        until=lambda: path.exists() and path.read_bytes().count(b"\n") >= 2,
    )
    assert said == []
    seals = [wire.seal_from(line) for line in path.read_bytes().splitlines()]
    assert [seal.head.index for seal in seals][:2] == [2, 4]
    rows, start = shard.log.rows, genesis("north", "main", shard.cast.roster)
    assert not verify(start, rows.entries, rows.head, Ed25519Scheme(), seals).why
    cut = rows.entries[:3]
    report = verify(start, cut, cut[-1].head, Ed25519Scheme(), seals)
    assert "was sealed at 4" in report.why, "a log that was cut short is noticed"


async def test_a_full_disk_is_waited_for_and_nothing_is_signed_away(
    shard: Shard, tmp_path: Path, propose: Callable[..., Proposal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coinswarm.runtime.swarm.keeping.AGAIN_SECONDS", 0.01)
    said = await played(shard, tmp_path, [propose()], full=3, until=lambda: bool(shard.log.rows.entries))
    told = [line for line in said if line.startswith("v0:")]
    assert told[:1] == ["v0: no space left"]
    assert told[1:] in ([], ["v0: the disk takes writes again"])


async def test_voters_listen_to_one_another_only_while_something_lies_undecided(
    shard: Shard, tmp_path: Path, propose: Callable[..., Proposal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a coordinator something does: they listen again, send their votes once more, and decide themselves."""
    monkeypatch.setattr("coinswarm.runtime.swarm.ears.LISTEN_SECONDS", 0.0)
    monkeypatch.setattr("coinswarm.memory.quorum.docket.TAKEOVER_NS", 1)
    heard: list[int] = []

    def listening(bus: LocalBus) -> int:
        return sum(one.hears(["mem", "vote"]) for one in bus._subscriptions)

    with ExitStack() as disks:
        async with LocalBus(LocalBusSettings()) as bus, anyio.create_task_group() as group:
            place = Place("north", "main", shard.cast.roster, Remembering(Ed25519Scheme()), bus, shard.log)
            for name, (signer, plugin) in shard.cast.voters.items():
                kept = disks.enter_context(Disk(tmp_path / f"{name}.sqlite", name, "north", "main"))
                judge = Judge(name, plugin, shard.gather, Teller(name, pytest.fail), lambda: 0.0)
                await group.start(voter_node(place, name, signer, kept, judge, Teller(name, pytest.fail)).run)
            kept = disks.enter_context(Disk(tmp_path / "desk.sqlite", "desk", "north", "main"))
            desk = Desk(place, "desk", shard.cast.signer, kept, Teller("desk", pytest.fail))
            await group.start(desk.run)
            with anyio.fail_after(30):
                for base in range(2):
                    while listening(bus):  # noqa: ASYNC110 - the bus tells nobody
                        await anyio.sleep(0.02)
                    assert (await desk.propose(propose(base=base))).outcome is Outcome.ACCEPT
                    heard.append(listening(bus))
            group.cancel_scope.cancel()
    assert all(heard), "those who decided had listened"


async def test_a_submitter_that_has_too_many_open_is_told_of(
    shard: Shard, propose: Callable[..., Proposal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coinswarm.memory.quorum.docket.MOST_OPEN", 2)
    monkeypatch.setattr("coinswarm.runtime.swarm.node.MOST_OPEN", 2)
    said: list[str] = []
    envelopes = [
        Envelope(
            cluster="north",
            shard="main",
            roster=0,
            submitter="desk",
            nonce=nonce,
            deadline_ns=1 << 62,
            proposal=propose(),
        ).signed(shard.cast.signer)
        for nonce in range(3)
    ]
    async with LocalBus(LocalBusSettings()) as bus, anyio.create_task_group() as group:
        place = Place("north", "main", shard.cast.roster, Ed25519Scheme(), bus, shard.log)
        node = coordinator_node(place, "c1", None, Teller("c1", said.append), tick_seconds=0.01)
        await group.start(node.run)
        for envelope in envelopes:
            node.tell(Propose(envelope))
        with anyio.fail_after(30):
            while node.teller.counts["crowd desk"] < 2:  # noqa: ASYNC110 - a tick tells nobody else
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert node.waiting == 2
    assert said == ["c1: submitter desk has 2 proposals open: no more are taken until some have ended"], "told once"


async def test_an_entry_that_was_changed_stops_who_reads_it(
    shard: Shard, tmp_path: Path, propose: Callable[..., Proposal]
) -> None:
    await played(shard, tmp_path / "first", [propose()])
    rows = shard.log.rows
    rows.entries[0] = replace(rows.entries[0], proof=rows.entries[0].proof[:2])
    rows.head = rows.entries[0].head
    async with LocalBus(LocalBusSettings()) as bus:
        place = Place("north", "main", shard.cast.roster, Ed25519Scheme(), bus, shard.log)
        with Disk(tmp_path / "c9.sqlite", "c9", "north", "main") as disk:
            node = coordinator_node(place, "c9", disk, Teller("c9", lambda _line: None))
            with pytest.raises(HaltedError) as caught:
                await node.run()
    assert caught.value.message == (
        "c9 has stopped for good (bad-entry: entry 1 of the log carries ballots that are no commit proof)"
    )
    assert caught.value.remedy.startswith("an entry was changed. Stop every voter, keep a copy of the database")


async def test_no_message_of_anybodys_ends_a_part(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that cannot be read are dropped and counted, whatever reading them raises."""
    said: list[str] = []
    monkeypatch.setattr(wire, "message_from", _raises)
    async with LocalBus(LocalBusSettings()) as bus, anyio.create_task_group() as group:
        place = Place("north", "main", shard.cast.roster, Ed25519Scheme(), bus, shard.log)
        node = coordinator_node(place, "c1", None, Teller("c1", said.append), tick_seconds=0.01)
        await group.start(node.run)
        await bus.publish("mem.propose", b"{}")
        with anyio.fail_after(30):
            while not node.teller.counts["malformed on mem.propose"]:  # noqa: ASYNC110 - it tells nobody
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert said == ["c1: a malformed message on mem.propose is dropped (out of luck); more are counted"]


def _raises(_data: bytes) -> object:
    message = "out of luck"
    raise TypeError(message)


@pytest.mark.parametrize("away", [False, True])
async def test_a_voter_that_lost_its_disk_is_refused_each_time_it_starts(
    shard: Shard, tmp_path: Path, propose: Callable[..., Proposal], *, away: bool
) -> None:
    """Also where its first start found no log: the file that this left behind is no disk that has voted."""
    await played(shard, tmp_path / "first", [propose()])
    signer, plugin = shard.cast.voters["v0"]
    async with LocalBus(LocalBusSettings()) as bus:
        place = Place("north", "main", shard.cast.roster, Ed25519Scheme(), bus, shard.log)
        if away:
            with Disk(tmp_path / "v0.sqlite", "v0", "north", "main"):
                pass
        for _ in range(2):
            with Disk(tmp_path / "v0.sqlite", "v0", "north", "main") as disk:
                teller = Teller("v0", lambda _line: None)
                judge = Judge("v0", plugin, shard.gather, teller, lambda: 0.0)
                with pytest.raises(HaltedError, match="v0 has no disk, but the log has 1 entries"):
                    await voter_node(place, "v0", signer, disk, judge, teller).run()


async def test_a_log_that_does_not_answer_is_told_of_though_it_refuses_nothing(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that was stopped takes a question and keeps it."""
    monkeypatch.setattr("coinswarm.runtime.swarm.answers.SILENT_SECONDS", 0.1)
    said: list[str] = []
    stopped, reads = threading.Event(), shard.log.read

    def read(token: int, after: int, limit: int) -> LogRead:
        stopped.wait(30)
        return reads(token, after, limit)

    monkeypatch.setattr(shard.log, "read", read)
    async with LocalBus(LocalBusSettings()) as bus, anyio.create_task_group() as group:
        place = Place("north", "main", shard.cast.roster, Ed25519Scheme(), bus, shard.log)
        node = coordinator_node(place, "c1", None, Teller("c1", said.append), tick_seconds=0.01)
        await group.start(node.run)
        with anyio.fail_after(30):
            while not said:  # noqa: ASYNC110 - it tells nobody else
                await anyio.sleep(0.01)
            stopped.set()
            while len(said) < 2:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert said == ["c1: the log has not answered for 0 s; it is waited for", "c1: the log is back"]
