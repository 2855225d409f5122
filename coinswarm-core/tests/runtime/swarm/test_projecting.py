"""An index is a fold of the log: whatever happens to it, it comes to hold what was accepted, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest
from sqlalchemy import text

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode, LogPosition, MemoryInfo, Space
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import DataError, HaltedError, UnreachableError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.runtime.swarm import noticing, projecting
from coinswarm.runtime.swarm.node import COMMIT
from coinswarm.runtime.swarm.parts import Place
from coinswarm.runtime.swarm.projecting import Projector
from coinswarm.runtime.swarm.telling import Teller
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.quorum.decided import ROSTER, DecidedLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coinswarm.ports import MessageBus

pytestmark = pytest.mark.anyio

SPACE, OTHER = Space("north", "trend/state.1", 2), Space("north", "trend/state.2", 3)


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


class Swarm(DecidedLog):
    """Episodes of two spaces are decided in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.count = 0
        self.expected: dict[Space, dict[str, Episode]] = {SPACE: {}, OTHER: {}}
        for space in self.expected:
            self.store.facts.add_space(space)

    def remember(
        self, told: Episode, space: Space = SPACE, *, accepts: bool = True, kept: bool = True, base: int = 0
    ) -> None:
        """Have an episode decided."""
        data = np.random.default_rng(self.count).standard_normal(space.dimension).astype("<f4").tobytes()
        self.count += 1
        self.remembered(space, told, data, accepts=accepts, kept=kept, base=base)
        if accepts:
            self.expected[space][told.id] = told

    def change(self, statement: str) -> None:
        """Change the file behind everybody's back."""
        with self.store.engine.execution_options(writes=True).begin() as connection:
            connection.execute(text(statement))


class Index:
    """A projector of it, and what it said."""

    def __init__(self, swarm: Swarm, backend: LocalMemory, bus: MessageBus | None = None) -> None:
        self.swarm, self.backend = swarm, backend
        self.said: list[str] = []
        place = Place(
            "north", "main", ROSTER, Ed25519Scheme(), bus or LocalBus(LocalBusSettings()), swarm.store.log
        )  # fmt: skip
        self.projector = Projector(place, backend, swarm.vectors, Teller("index", self.said.append), name="the index")

    async def catch_up(self) -> None:
        """Follow; then it holds what was accepted and nothing else."""
        await self.projector.catch_up()
        assert self.projector.head == self.swarm.store.log.read(0, 0, 0).head.index
        for space, wanted in self.swarm.expected.items():
            info = await self.backend.info(space)
            assert info.entries == len(wanted)
            for one in wanted.values():
                assert await self.backend.get(space, one.id) == one


@pytest.fixture
def swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Swarm]:
    """Seven entries in two spaces, one of them rejected; few are read at once."""
    monkeypatch.setattr(projecting, "ENTRIES", 3)
    made = Swarm(tmp_path / "swarm.db")
    for number in range(7):
        made.remember(numbered(number), OTHER if number in {2, 5} else SPACE, accepts=number != 3)
    yield made
    made.store.close()


@pytest.fixture
def index(swarm: Swarm) -> Index:
    return Index(swarm, LocalMemory())


async def test_it_holds_what_was_accepted_and_goes_on_from_there(swarm: Swarm, index: Index) -> None:
    await index.catch_up()
    stats = await index.backend.stats()
    await index.catch_up()
    assert (await index.backend.stats()).remembered == stats.remembered == 6, "nothing new was written"
    swarm.remember(numbered(7))
    swarm.remember(numbered(7, result_ppm=-1), base=1)
    await index.catch_up()
    found = await index.backend.info(SPACE)
    assert found.applied == LogPosition(9, swarm.store.log.read(0, 0, 0).head.hash)
    assert index.said == []


async def test_several_of_one_entry_are_each_there(swarm: Swarm, index: Index) -> None:
    """In two spaces at once; what was rejected together is not there."""
    await index.catch_up()
    vectors = {space: np.ones(space.dimension, "<f4").tobytes() for space in (SPACE, OTHER)}
    several = [(OTHER if number == 8 else SPACE, numbered(number), vectors[OTHER if number == 8 else SPACE])
               for number in range(7, 11)]  # fmt: skip
    swarm.together([(SPACE, numbered(50), vectors[SPACE]), (OTHER, numbered(51), vectors[OTHER])], accepts=False)
    swarm.together(several)
    for space, told, _ in several:
        swarm.expected[space][told.id] = told
    await index.catch_up()
    at = LogPosition(9, swarm.store.log.read(0, 0, 0).head.hash)
    assert [(await index.backend.info(space)).applied for space in (SPACE, OTHER)] == [at, at]
    await index.backend.clear(SPACE)
    await index.catch_up()
    assert index.said == []


async def test_another_process_goes_on_where_the_index_is(swarm: Swarm, index: Index) -> None:
    await index.catch_up()
    swarm.remember(numbered(7))
    again = Index(swarm, index.backend)
    await again.catch_up()
    await index.catch_up()
    assert again.said == index.said == []


async def test_what_was_lost_is_folded_again(index: Index) -> None:
    await index.catch_up()
    await index.backend.clear(SPACE)
    await index.catch_up()
    await index.backend.forget(OTHER, numbered(5).id)
    await index.catch_up()
    assert index.said == ["index: the index of trend/state.2 is not what the log says: it is folded anew"]


async def test_an_older_copy_of_the_index_catches_up(swarm: Swarm, index: Index) -> None:
    """Restored while the projection runs, and before it starts."""
    await index.catch_up()
    older = Index(swarm, LocalMemory())
    first = swarm.store.log.read(0, 0, 1).entries[0]
    await older.backend.remember(SPACE, [numbered(0)], np.ones((1, 2), np.float32), at=LogPosition(1, first.hash))
    index.backend = index.projector._backend = older.backend
    await index.catch_up()
    await older.catch_up()
    assert index.said == older.said == []


@pytest.mark.parametrize("position", [2, 7, 90])
async def test_an_index_of_another_log_is_cleared(index: Index, position: int) -> None:
    at = LogPosition(position, digest("another log"))
    await index.backend.remember(SPACE, [numbered(50)], np.ones((1, 2), np.float32), at=at)
    await index.catch_up()
    assert await index.backend.get(SPACE, numbered(50).id) is None
    assert index.said == ["index: the index of trend/state.1 is not what the log says: it is folded anew"]


async def test_what_nobody_decided_is_cleared(index: Index) -> None:
    await index.backend.remember(SPACE, [numbered(50)], np.ones((1, 2), np.float32))
    await index.catch_up()
    await index.backend.remember(SPACE, [numbered(51)], np.ones((1, 2), np.float32))
    await index.catch_up()
    assert len(index.said) == 2


class Sieve(LocalMemory):
    """Throws away what it is told, as a cache does that is full."""

    async def info(self, space: Space) -> MemoryInfo:
        return replace(await super().info(space), entries=1)


async def test_an_index_that_keeps_nothing_is_given_up(swarm: Swarm) -> None:
    index = Index(swarm, Sieve())
    with pytest.raises(DataError, match="folded 3 times"):
        await index.projector.catch_up()


async def test_a_log_that_was_touched_is_not_followed(swarm: Swarm, index: Index) -> None:
    await index.catch_up()
    swarm.remember(numbered(7))
    swarm.remember(numbered(8))
    swarm.change("UPDATE entry SET at_ns = at_ns + 1 WHERE position = 9")
    with pytest.raises(HaltedError, match=r"the index has stopped for good \(bad-entry: entry 9"):
        await index.projector.catch_up()


async def test_a_log_that_was_set_back_is_not_followed(tmp_path: Path, swarm: Swarm, index: Index) -> None:
    await index.catch_up()
    shorter = Swarm(tmp_path / "shorter.db")
    shorter.remember(numbered(0))
    index.projector._place = replace(index.projector._place, log=shorter.store.log)
    with pytest.raises(HaltedError, match=r"split-brain: the log ends at entry 1, but was seen at 7"):
        await index.projector.catch_up()
    assert (await index.backend.info(SPACE)).entries == len(swarm.expected[SPACE]), "it is left as it was"
    shorter.store.close()


async def test_without_an_accepted_vector_it_stops_before_it(swarm: Swarm, index: Index) -> None:
    swarm.remember(numbered(7), kept=False)
    with pytest.raises(DataError, match="vector of episode"):
        await index.projector.catch_up()
    assert (await index.backend.info(SPACE)).entries == 3, "as far as the entries that were read before"
    swarm.count -= 1
    swarm.remember(numbered(7), base=1)  # the same vector, which is there now
    await index.catch_up()


class Away(LocalMemory):
    """Cannot be reached at first."""

    broken = 2

    async def info(self, space: Space) -> MemoryInfo:
        if self.broken:
            self.broken -= 1
            message = "no connection"
            raise UnreachableError(message)
        return await super().info(space)


async def test_it_follows_at_every_notice_and_waits_for_an_index_that_is_away(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noticing, "TICK_SECONDS", 0.01)
    async with LocalBus(LocalBusSettings()) as bus, anyio.create_task_group() as group:
        index = Index(swarm, Away(), bus)
        await group.start(index.projector.run)
        with anyio.fail_after(10):
            while index.projector.head < 7:
                await bus.publish(COMMIT, b"somebody's word")
                await anyio.sleep(0.01)
            monkeypatch.setattr(noticing, "TICK_SECONDS", 3_600)
            await anyio.sleep(0.05)  # the round that ticked before the hour began
            swarm.remember(numbered(7))
            while index.projector.head < 8:
                await bus.publish(COMMIT, b"somebody's word")
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert index.said == [
        "index: the index stands still at entry 0 (no connection); it is tried again",
        "index: the index follows again",
    ]
