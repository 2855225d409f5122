"""What a submitter's disk is told, and when: nothing that is decided at once, and all that a later life must know."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from coinswarm.errors import OutputError
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.messages import Keep, Propose, Remember
from coinswarm.memory.quorum.records import START, Envelope, Head, signed_together
from coinswarm.runtime.swarm.disk import Disk
from coinswarm.runtime.swarm.keeping import Keeper
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.messages import Vote
    from coinswarm.memory.quorum.records import SealVote

pytestmark = pytest.mark.anyio
SEEN = Remember(Head(1, "ab" * 32))


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


class Watched(Disk):
    """A disk that tells what was written: proposals that came, and those that went, write by write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "desk", "north", "main")
        self.writes: list[tuple[list[str], list[str]]] = []

    def write(self, jobs: Sequence[Keep | Remember], done: Iterable[str] = ()) -> list[Propose | Vote | SealVote]:
        gone = list(done)
        came = [job.message.envelope.id for job in jobs if isinstance(job, Keep) and isinstance(job.message, Propose)]
        kept = super().write(jobs, gone)
        self.writes.append((came, gone))
        return kept

    @property
    def lies(self) -> set[str]:
        """The proposals on it."""
        return {envelope.id for envelope in self.proposals()}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Watched]:
    """Of a submitter."""
    with Watched(tmp_path / "desk.sqlite") as opened:
        yield opened


@pytest.fixture
def keeper(disk: Watched) -> Keeper:
    """Of the disk."""
    return Keeper("desk", disk, lambda _seal: None, Teller("desk", lambda _line: None), lambda _kept: None)


@asynccontextmanager
async def running(keeper: Keeper) -> AsyncIterator[None]:
    """It writes until the block is left, and comes to rest then."""
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        yield
        group.cancel_scope.cancel()
    await keeper.rest()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something."""
    with anyio.fail_after(20):
        while not holds():  # noqa: ASYNC110 - a disk has no events
            await anyio.sleep(0.01)


@pytest.fixture
def keeps(propose: Callable[..., Proposal]) -> list[Keep]:
    """Three proposals to be kept."""
    signer = Ed25519Signer(bytes(32))
    asked = [
        Envelope(
            cluster="north",
            shard="main",
            roster=0,
            submitter="desk",
            nonce=nonce,
            deadline_ns=1,
            proposal=propose(f"good {nonce}"),
        )
        for nonce in range(3)
    ]
    return [Keep(Propose(envelope), START) for envelope in signed_together(asked, signer)]


def ids(keeps: Iterable[Keep]) -> list[str]:
    """The proposals in them."""
    return [keep.message.envelope.id for keep in keeps if isinstance(keep.message, Propose)]


async def test_what_is_decided_at_once_is_never_written(disk: Watched, keeper: Keeper, keeps: list[Keep]) -> None:
    first, *rest = ids(keeps)
    async with running(keeper):
        for keep in keeps:
            keeper.keep(keep)
        keeper.decided([first])
        keeper.remember(SEEN)
        await until(lambda: disk.lies == set(rest) and disk.seen == SEEN.seen)
        keeper.decided(rest)
        keeper.remember(SEEN)
        await until(lambda: not disk.lies)
    assert first not in [one for came, gone in disk.writes for one in (*came, *gone)]


async def test_what_is_held_is_written_though_it_is_decided(disk: Watched, keeper: Keeper, keeps: list[Keep]) -> None:
    whole, *parts = ids(keeps)
    async with running(keeper):
        keeper.keep(keeps[0])
        keeper.hold(whole)
        keeper.decided([whole])
        await until(lambda: disk.lies == {whole})
        for keep in keeps[1:]:
            keeper.keep(keep)
        keeper.let_go(whole)
        await until(lambda: disk.lies == set(parts))
    [gone] = [number for number, (_, gone) in enumerate(disk.writes) if whole in gone]
    assert {one for came, _ in disk.writes[: gone + 1] for one in came} >= set(parts), "it went before its parts came"


async def test_what_is_still_young_is_written_at_the_end(disk: Watched, keeper: Keeper, keeps: list[Keep]) -> None:
    async with running(keeper):
        for keep in keeps:
            keeper.keep(keep)
        keeper.decided(ids(keeps[:1]))
    assert disk.lies == set(ids(keeps[1:]))


async def test_at_the_end_what_was_not_taken_yet_is_written_with_the_head(
    disk: Watched, keeper: Keeper, keeps: list[Keep]
) -> None:
    for keep in keeps:
        keeper.keep(keep)
    keeper.remember(SEEN)
    await keeper.rest()  # it never ran
    assert (disk.lies, disk.seen) == (set(ids(keeps)), SEEN.seen)
    assert len(disk.writes) == 1


async def test_a_disk_that_takes_nothing_is_known_until_it_does_again(
    disk: Watched, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot keep a ballot cannot vote: he is not ready, whatever he has read."""
    monkeypatch.setattr("coinswarm.runtime.swarm.keeping.AGAIN_SECONDS", 0.01)
    monkeypatch.setattr("coinswarm.runtime.swarm.keeping.REMEMBER_SECONDS", 0.01)
    full = [True]

    def write(jobs: Sequence[Keep | Remember], done: Iterable[str] = ()) -> list[Propose | Vote | SealVote]:
        if full[0]:
            message = "no space left"
            raise OutputError(message)
        return Disk.write(disk, jobs, done)

    monkeypatch.setattr(disk, "write", write)
    async with running(keeper):
        assert not keeper.stuck
        keeper.remember(SEEN)
        await until(lambda: keeper.stuck)
        full[0] = False
        await until(lambda: not keeper.stuck)
    assert disk.seen == SEEN.seen
