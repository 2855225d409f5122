"""An index is held against the log by what it answers: what is not where it was accepted is wrong, and only that."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import text

from coinswarm.domain.episode import ANY, Episode, Filter, Match, MemoryInfo, Space
from coinswarm.drivers import neighbours, sqlite
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalBusSettings, LocalMemorySettings
from coinswarm.errors import DataError, NotReadyError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.runtime.swarm import reindexing
from coinswarm.runtime.swarm.parts import Place
from coinswarm.runtime.swarm.projecting import Projector
from coinswarm.runtime.swarm.reindexing import reindexed
from coinswarm.runtime.swarm.telling import Teller
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.quorum import decided
from coinswarm_testkit.quorum.decided import ROSTER, DecidedLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

pytestmark = pytest.mark.anyio

SPACE = Space("north", "trend/state.1", 8)
NAMED = "trend/state.1 (8)"


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


def episode(number: int, moment: int | None = None) -> Episode:
    at = number if moment is None else moment
    return numbered(number, decided_ns=at, known_ns=at + 1)


def vectors(count: int, seed: int = 0) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)


class Swarm:
    """A log whose episodes are in an index that follows it."""

    def __init__(self, path: Path, shard: str = "main") -> None:
        self.log, self.said = DecidedLog(path), list[str]()
        self.log.store.facts.add_space(SPACE)
        self.place = Place(
            "north", shard, ROSTER, Ed25519Scheme(), LocalBus(LocalBusSettings()), self.log.store.log
        )  # fmt: skip

    def accept(self, told: Sequence[Episode], rows: Vectors) -> None:
        """Have them decided, many at once."""
        added = [(SPACE, one, row.astype("<f4").tobytes()) for one, row in zip(told, rows, strict=True)]
        for first in range(0, len(added), 64):
            self.log.together(added[first : first + 64])

    def projector(self, backend: LocalMemory) -> Projector:
        return Projector(self.place, backend, self.log.vectors, Teller("index", self.said.append))

    async def held(self, backend: LocalMemory, *, write: bool = False) -> dict[str, str]:
        """What ``memory rebuild`` says of it."""
        teller = Teller("rebuild", self.said.append)
        return await reindexed(self.log.store, self.place, backend, teller, write=write)


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[Swarm]:
    made = Swarm(tmp_path / "swarm.db")
    yield made
    made.log.close()


@pytest.fixture
def settings(tmp_path: Path) -> LocalMemorySettings:
    return LocalMemorySettings(path=tmp_path / "index.db")


@pytest.fixture(autouse=True)
def noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another program changed is noticed at once."""
    monkeypatch.setattr(sqlite, "SIGN_NS", 0)


def change(settings: LocalMemorySettings, statement: str) -> None:
    """Change the index behind everybody's back."""
    assert settings.path is not None
    with closing(sqlite3.connect(settings.path, isolation_level=None)) as other:
        other.execute(statement)


@pytest.mark.parametrize(
    ("damage", "wrong"),
    [
        (
            "UPDATE episode SET vector = (SELECT vector FROM episode WHERE key = 1) WHERE key = 4",
            "1 of its 10 episodes are not at their vectors",
        ),
        (
            "UPDATE episode SET vector = (SELECT vector FROM episode WHERE key = 1)",
            "9 of its 10 episodes are not at their vectors",
        ),
        ("UPDATE episode SET result_ppm = 77 WHERE key = 4", "1 of its 10 episodes are not as accepted"),
        ("UPDATE episode SET side = 0 WHERE key = 4", "it cannot be read: episode '4e07408562be' of trend/state.1"),
        ("UPDATE episode SET vector = zeroblob(32) WHERE key = 4", "it cannot be read: a vector of trend/state.1"),
        ("UPDATE episode SET vector = x'00' WHERE key = 4", "it cannot be read: the vector of episode 4e07408562be"),
        ("UPDATE space SET digest = 'zz'", "it cannot be read: the log entry that it stands at"),
    ],
    ids=["one of another", "all alike", "another result", "no side", "no direction", "no vector", "no position"],
)
async def test_what_is_not_as_accepted_is_told_and_folded_anew(
    swarm: Swarm, settings: LocalMemorySettings, damage: str, wrong: str
) -> None:
    swarm.accept([episode(number) for number in range(10)], vectors(10))
    index = LocalMemory(settings)
    await swarm.projector(index).catch_up()
    assert await swarm.held(index) == {}
    change(settings, damage)
    for write in (False, False, True):
        told = await swarm.held(index, write=write)
        assert list(told) == [NAMED]
        assert told[NAMED].startswith(wrong)
    assert await swarm.held(index) == {}
    await index.close()


@pytest.mark.parametrize("damage", ["side = 0", "vector = zeroblob(32)"])
async def test_a_projector_folds_a_damaged_index_anew(swarm: Swarm, settings: LocalMemorySettings, damage: str) -> None:
    swarm.accept([episode(number) for number in range(10)], vectors(10))
    index = LocalMemory(settings)
    running = swarm.projector(index)
    await running.catch_up()
    change(settings, f"UPDATE episode SET {damage} WHERE key = 4")  # noqa: S608 - our own
    await running.catch_up()
    assert await swarm.held(index) == {}
    change(settings, f"UPDATE episode SET {damage} WHERE key = 14")  # noqa: S608 - our own
    await swarm.projector(index).catch_up()
    assert await swarm.held(index) == {}
    assert len(swarm.said) == 2
    assert all("index of trend/state.1 is damaged" in line and "folded anew" in line for line in swarm.said)
    await index.close()


async def test_many_equal_vectors_are_no_difference(swarm: Swarm) -> None:
    """Those of one moment too: which of them are nearest is nobody's fault."""
    swarm.accept([episode(number, number % 3) for number in range(90)], np.ones((90, 8), np.float32))
    index = LocalMemory()
    await swarm.projector(index).catch_up()
    assert await swarm.held(index) == {}
    await index.close()


async def test_a_graph_is_not_called_wrong(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "FEW", 20)
    monkeypatch.setattr(neighbours, "EXPANSION_SEARCH", 1)  # so that it misses some
    swarm.accept([episode(number) for number in range(640)], np.repeat(vectors(320), 2, axis=0))
    index = LocalMemory(LocalMemorySettings(exact_entries=100))
    await swarm.projector(index).catch_up()
    await index.info(SPACE)
    await index.optimize(SPACE)
    assert index._held[SPACE].has_graph
    assert await swarm.held(index) == {}
    await index.close()


class Missing(LocalMemory):
    """Overlooks some where it has many to look at; a filter costs nothing, as the contract says."""

    overlooked, exact = 0, False

    async def info(self, space: Space) -> MemoryInfo:
        return replace(await super().info(space), exact=self.exact)

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        found = await super().recall(space, vector, k, as_of_ns, where)
        if where.decided_before_ns:
            return found
        hidden = {episode(number).id for number in range(self.overlooked)}
        return [match for match in found if match.episode_id not in hidden]


@pytest.mark.parametrize(
    ("overlooked", "exact", "wrong"),
    [(20, False, {}), (21, False, {NAMED: "recall misses 21 of its 100 episodes"}),
     (1, True, {NAMED: "recall misses 1 of its 100 episodes"}), (0, True, {})],
)  # fmt: skip
async def test_an_approximate_index_may_miss_a_few_and_an_exact_one_none(
    swarm: Swarm, overlooked: int, exact: bool, wrong: dict[str, str]  # noqa: FBT001 - a case
) -> None:  # fmt: skip
    swarm.accept([episode(number) for number in range(100)], vectors(100))
    index = Missing()
    await swarm.projector(index).catch_up()
    index.overlooked, index.exact = overlooked, exact
    assert await swarm.held(index) == wrong
    await index.close()


class Refusing(LocalMemory):
    """Says of itself that it is not whole, until it is cleared."""

    whole = False

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        if not self.whole:
            message = "keys were evicted"
            raise NotReadyError(message)
        return await super().recall(space, vector, k, as_of_ns, where)

    async def clear(self, space: Space) -> None:
        self.whole = True
        await super().clear(space)


async def test_an_index_that_refuses_is_folded_anew(swarm: Swarm) -> None:
    swarm.accept([episode(number) for number in range(3)], vectors(3))
    index = Refusing()
    await swarm.projector(index).catch_up()
    assert await swarm.held(index, write=True) == {
        NAMED: "it cannot be recalled from (NotReadyError: keys were evicted)"
    }
    assert await swarm.held(index) == {}
    await index.close()


async def test_an_index_of_nothing_right_is_not_looked_through(
    swarm: Swarm, settings: LocalMemorySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexing, "ENOUGH", 5)
    monkeypatch.setattr(reindexing, "AT_ONCE", 3)
    swarm.accept([episode(number) for number in range(10)], vectors(10))
    index = LocalMemory(settings)
    await swarm.projector(index).catch_up()
    change(settings, "UPDATE episode SET vector = (SELECT vector FROM episode WHERE key = 1)")
    assert await swarm.held(index) == {NAMED: "5 or more of its 10 episodes are not at their vectors"}
    await index.close()


async def test_where_the_store_lacks_a_vector_a_good_index_is_left_alone(swarm: Swarm) -> None:
    swarm.accept([episode(number) for number in range(3)], vectors(3))
    index = LocalMemory()
    await swarm.projector(index).catch_up()
    with swarm.log.store.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("DELETE FROM vector"))
    with pytest.raises(DataError, match="is not in the store: restore the store from a copy"):
        await swarm.held(index, write=True)
    assert (await index.info(SPACE)).entries == 3
    await index.close()


async def test_two_shards_of_a_cluster_share_an_index(
    tmp_path: Path, swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decided, "SHARD", "eu")
    other = Swarm(tmp_path / "swarm.db", "eu")
    swarm.said = other.said
    index = LocalMemory()
    other.accept([episode(number) for number in range(100, 107)], vectors(7, seed=1))
    monkeypatch.undo()
    swarm.accept([episode(number) for number in range(5)], vectors(5))
    followers = [swarm.projector(index), other.projector(index)]
    for _ in range(2):
        for one in followers:
            await one.catch_up()
    here, there = SPACE, replace(SPACE, swarm="north/eu")
    assert [(await index.info(space)).entries for space in (here, there)] == [5, 7]
    assert await index.recall(here, vectors(1)[0], 9, 10**9, ANY) != await index.recall(
        there, vectors(1)[0], 9, 10**9, ANY
    )
    assert await swarm.held(index) == await other.held(index) == {}
    assert other.said == []
    await index.close()
    other.log.close()
