"""The whole quorum in one process: proposals are decided, restarts go on, and what is not to be believed stops it."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.contracts import Voter
from coinswarm.domain.acceptance import Verdict, mandatory
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import AmbiguousError, HaltedError, NotReadyError, UnreachableError
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.verify import verify
from coinswarm.runtime.swarm.embedded import EmbeddedSwarm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runtime.swarm.conftest import Shard

    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.proposal import Proposal
    from coinswarm.ports import MessageBus

    Propose = Callable[..., Proposal]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


def local() -> LocalBus:
    return LocalBus(LocalBusSettings())


def swarm(shard: Shard, folder: Path, bus: MessageBus, said: list[str]) -> EmbeddedSwarm:
    return EmbeddedSwarm("north", "main", shard.cast, folder, bus, shard.log, shard.gather, said.append)


def clean(shard: Shard) -> None:
    """The log is whole."""
    rows = shard.log.rows
    report = verify(genesis("north", "main", shard.cast.roster), rows.entries, rows.head, Ed25519Scheme())
    assert not report.why


async def test_a_proposal_is_accepted_or_rejected(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    said: list[str] = []
    async with local() as bus, swarm(shard, tmp_path, bus, said) as running:
        ended = await running.propose(propose())
        assert ended.outcome is Outcome.ACCEPT
        assert (await running.propose(propose("bad", base=1))).outcome is Outcome.REJECT
        assert (await running.propose(propose())).outcome is Outcome.CONFLICT, "it starts from what is gone"
    assert said == []
    assert shard.log.rows.entries[0].envelope.id == ended.proposal
    clean(shard)
    with pytest.raises(NotReadyError, match="not running"):
        await running.propose(propose())


async def test_many_at_once_are_each_decided_once(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    outcomes: list[Outcome] = []

    async with local() as bus, swarm(shard, tmp_path, bus, []) as running:

        async def one(number: int) -> None:
            outcomes.append((await running.propose(propose(subject=f"acceptance/n{number}"))).outcome)

        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(one, number)
    assert outcomes == [Outcome.ACCEPT] * 40
    assert len(shard.log.rows.entries) == 40
    clean(shard)


async def test_a_restart_takes_up_what_was_under_way(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    """What was proposed while nothing could be decided is decided by the next process."""
    away = threading.Event()
    tried = anyio.Event()

    def fault(step: str) -> None:
        if step == "head" and not away.is_set():
            message = "the database is away"
            raise UnreachableError(message)

    def say(line: str) -> None:
        if "the log does not answer (the database is away" in line:
            tried.set()

    shard.log.fault = fault
    async with local() as bus:
        running = EmbeddedSwarm("north", "main", shard.cast, tmp_path, bus, shard.log, shard.gather, say)
        async with running, anyio.create_task_group() as group:
            group.start_soon(running.propose, propose())
            await tried.wait()
            group.cancel_scope.cancel()
    assert not shard.log.rows.entries
    away.set()
    async with local() as bus, swarm(shard, tmp_path, bus, []) as running:
        assert (await running.propose(propose(base=1))).outcome is Outcome.ACCEPT
    assert [entry.envelope.proposal.base_version for entry in shard.log.rows.entries] == [0, 1]
    clean(shard)


async def test_a_commit_that_nobody_answered_for_is_asked_again(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    failed: list[str] = []

    def fault(step: str) -> None:
        if step == "committed" and shard.log.rows.entries and not failed:
            failed.append(step)
            message = "no answer to a commit"
            raise AmbiguousError(message)

    shard.log.fault = fault
    async with local() as bus, swarm(shard, tmp_path, bus, []) as running:
        assert (await running.propose(propose())).outcome is Outcome.ACCEPT
    assert failed
    assert len(shard.log.rows.entries) == 1


class Deaf(LocalBus):
    """A bus that is away at first."""

    broken = 2

    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        if self.broken:
            self.broken -= 1
            message = "no connection"
            raise UnreachableError(message)
        await super().publish(subject, data, reply=reply)


async def test_while_the_bus_is_away_everything_waits(
    shard: Shard, tmp_path: Path, propose: Propose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coinswarm.runtime.swarm.node.AWAY_SECONDS", 0.01)
    said: list[str] = []
    async with Deaf(LocalBusSettings()) as bus, swarm(shard, tmp_path, bus, said) as running:
        assert (await running.propose(propose())).outcome is Outcome.ACCEPT
    lines = [line for line in said if line.startswith("desk:")]
    assert lines == ["desk: the bus is away (no connection); it is tried again", "desk: the bus is back"]


async def test_what_is_no_message_is_dropped_and_told_once(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    said: list[str] = []
    async with local() as bus, swarm(shard, tmp_path, bus, said) as running:
        for data in (b"", b"{}", b"\xff" * 2_000, b"[" * 5_000):
            await bus.publish("mem.propose", data)
        assert (await running.propose(propose())).outcome is Outcome.ACCEPT
    told = [line for line in said if "malformed" in line]
    assert len(told) == 5, "each voter and the coordinator"
    assert told[0].startswith("v0: a malformed message on mem.propose is dropped (")


class Raises(Voter):
    """Ends the process, if it is let."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the contract's
        raise SystemExit(3)


class Nonsense(Voter):
    """Judges one rule of three."""

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the contract's
        return Verdict(held=mandatory(proposal)[:1])


class Hangs(Voter):
    """Does not come back until the test is over."""

    let_go = threading.Event()

    def evaluate(self, proposal: Proposal, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the contract's
        self.let_go.wait(60)
        return Verdict(held=mandatory(proposal))


def seated(shard: Shard, seat: str, plugin: Voter) -> None:
    """Give a seat another plugin."""
    voters = dict(shard.cast.voters)
    voters[seat] = (voters[seat][0], plugin)
    object.__setattr__(shard.cast, "voters", voters)


@pytest.mark.parametrize(
    ("plugin", "what"),
    [(Raises(), "raised SystemExit: 3"), (Nonsense(), "judged other rules than are mandatory (")],
)
async def test_a_plugin_at_fault_is_told_and_the_others_decide(
    shard: Shard, tmp_path: Path, propose: Propose, plugin: Voter, what: str
) -> None:
    seated(shard, "v2", plugin)
    said: list[str] = []
    async with local() as bus, swarm(shard, tmp_path, bus, said) as running:
        assert (await running.propose(propose())).outcome is Outcome.ACCEPT
        assert (await running.propose(propose(base=1))).outcome is Outcome.ACCEPT
    assert len(said) == 1
    assert said[0].startswith(f"v2: the voter's plugin {what}")
    assert f" on {shard.log.rows.entries[0].envelope.id[:12]}; no ballot on it" in said[0]
    assert {ballot.voter for entry in shard.log.rows.entries for ballot in entry.proof} == {"v0", "v1", "v3"}


async def test_a_plugin_that_hangs_stops_its_own_seat_only(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    seated(shard, "v0", Hangs())
    async with local() as bus, swarm(shard, tmp_path, bus, []) as running:
        assert (await running.propose(propose())).outcome is Outcome.ACCEPT
        assert (await running.propose(propose(base=1))).outcome is Outcome.ACCEPT
    Hangs.let_go.set()
    clean(shard)


async def test_a_log_that_lost_entries_stops_everybody(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    """A restored backup: nobody signs, and whoever proposes is told what to do; a restart changes nothing."""
    backup = shard.log.rows.copy()
    async with local() as bus, swarm(shard, tmp_path, bus, []) as running:
        await running.propose(propose())
    shard.log.rows = backup
    for _ in range(2):
        said: list[str] = []
        async with local() as bus, swarm(shard, tmp_path, bus, said) as running:
            with pytest.raises(
                HaltedError, match=r"desk has stopped for good \(split-brain: the log ends at entry 0"
            ) as caught:
                await running.propose(propose())
        assert caught.value.exit_code == 5
        assert "coinswarm memory verify" in caught.value.remedy
        assert any("has stopped for good (split-brain" in line for line in said), "it is told, not only raised"
    assert not shard.log.rows.entries


async def test_a_lost_disk_beside_a_log_with_entries_is_no_new_voter(
    shard: Shard, tmp_path: Path, propose: Propose
) -> None:
    async with local() as bus, swarm(shard, tmp_path, bus, []) as running:
        await running.propose(propose())
    shutil.rmtree(tmp_path)
    said: list[str] = []
    async with local() as bus, swarm(shard, tmp_path, bus, said) as running:
        with anyio.move_on_after(0.3):
            await running.propose(propose(base=1))
        assert running.halts.keys() == {"v0", "v1", "v2", "v3"}
    assert any("v1 has no disk, but the log has 1 entries" in line for line in said)
    assert len(shard.log.rows.entries) == 1


async def test_a_folder_that_is_in_use_is_refused(shard: Shard, tmp_path: Path) -> None:
    async with local() as bus, swarm(shard, tmp_path, bus, []):
        with pytest.raises(NotReadyError, match="v0 runs already"):
            async with swarm(shard, tmp_path, bus, []):
                pass


async def test_a_part_says_how_it_is(shard: Shard, tmp_path: Path, propose: Propose) -> None:
    async with local() as bus, swarm(shard, tmp_path, bus, []) as running:
        await running.propose(propose())
        answer = await bus.request("mem.status.v3", b"", seconds=5)
    assert b'"kind": "voter"' in answer.data
    assert b'"ready": true' in answer.data
