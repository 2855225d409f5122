"""The local memory: what the contract suite of the testkit does not ask: files, other processes, other histories."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest

from coinswarm.domain.episode import ANY, Episode, LogPosition, Space
from coinswarm.domain.health import Condition
from coinswarm.drivers import neighbours, sqlite
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalMemorySettings
from coinswarm.errors import DataError
from coinswarm_testkit.cases.episodes import numbered

if TYPE_CHECKING:
    from pathlib import Path

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

SPACE = Space("swarm", "state.1", 8)
LATE = 10**18


def told(count: int, first: int = 0) -> list[Episode]:
    return [numbered(number) for number in range(first, first + count)]


def vectors(count: int, seed: int = 0) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)


def position(index: int, history: str = "") -> LogPosition:
    return LogPosition(index, sha256(f"{history}{index}".encode()).hexdigest())


def test_entries_and_position_are_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        mine, other = (LocalMemory(LocalMemorySettings(path=tmp_path / "m.sqlite")) for _ in range(2))
        await mine.remember(SPACE, told(5), vectors(5), at=position(3))
        looked = mine._neighbours

        async def overtaken(space: Space) -> neighbours.Neighbours:
            held = await looked(space)
            await other.remember(SPACE, told(5, first=5), vectors(5, seed=2), at=position(4))
            return held

        with monkeypatch.context() as patch:
            patch.setattr(mine, "_neighbours", overtaken)
            info = await mine.info(SPACE)
        assert (info.entries, info.applied) == (5, position(3))
        info = await mine.info(SPACE)
        assert (info.entries, info.applied) == (10, position(4))
        assert await mine.forget(SPACE, told(1)[0].id, at=position(5))
        assert not await mine.update(SPACE, told(1)[0], at=position(6)), "it is gone; the log moved on all the same"
        await mine.remember(SPACE, [], vectors(0), at=position(7))
        info = await mine.info(SPACE)
        assert (info.entries, info.applied) == (9, position(7))
        await mine.remember(SPACE, told(1), vectors(1), at=position(6))
        assert (await mine.info(SPACE)).applied == position(7)
        await mine.close()
        assert (await other.info(SPACE)) == info
        await other.close()

    anyio.run(work)


NAN = np.full(8, np.nan, "<f4").tobytes().hex()


@pytest.mark.parametrize(
    ("damage", "told_of"),
    [
        ("UPDATE episode SET side = 0 WHERE key = 2", "episode '6b86b273ff34' of state.1 .*side of the episode is 0"),
        ("UPDATE episode SET vector = x'00' WHERE key = 2", "vector of episode 6b86b273ff34 .*another width"),
        (f"UPDATE episode SET vector = x'{NAN}' WHERE key = 2", "a vector of state.1 .*its length is not 1"),  # noqa: S608 - our own
        ("UPDATE episode SET vector = 'text' WHERE key = 2", "vector of episode 6b86b273ff34 .*another width"),
        ("UPDATE episode SET agent = CAST(x'ff' AS TEXT) WHERE key = 2", "a row of state.1 .*not decode to UTF-8"),
        ("UPDATE space SET digest = 'zz'", "entry that it stands at .*digest of the log position is 'zz'"),
    ],
    ids=["no episode", "too short", "not finite", "text", "no text", "no position"],
)
def test_a_damaged_row_is_told_and_cleared(tmp_path: Path, damage: str, told_of: str) -> None:
    path = tmp_path / "m.sqlite"

    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=path))
        await memory.remember(SPACE, told(5), vectors(5), at=position(3))
        await memory.info(SPACE)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(damage)
        await memory.close()
        for _ in range(2):
            with pytest.raises(DataError, match=f"{told_of}.*: clear the space and fold the log anew"):
                await memory.recall(SPACE, vectors(1)[0], 1, LATE, ANY)
            with pytest.raises(DataError, match=told_of):
                await memory.info(SPACE)
        health = await memory.health()
        assert health.condition is Condition.IMPAIRED
        assert "state.1 is not as it was written" in health.reason
        await memory.clear(SPACE)
        await memory.remember(SPACE, told(5), vectors(5), at=position(3))
        assert len(await memory.recall(SPACE, vectors(1)[0], 9, LATE, ANY)) == 5
        assert (await memory.health()).condition is Condition.GOOD
        await memory.close()

    anyio.run(work)


def test_a_damaged_row_is_told_by_its_id(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"

    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=path))
        await memory.remember(SPACE, told(2), vectors(2))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("UPDATE episode SET known_ns = -1 WHERE key = 1")
        with pytest.raises(DataError, match="known_ns of the episode is -1"):
            await memory.get(SPACE, told(1)[0].id)
        assert await memory.get(SPACE, told(2)[1].id) == told(2)[1]
        await memory.close()

    anyio.run(work)


def test_the_largest_numbers_are_kept() -> None:
    most = 2**63 - 1
    episode = replace(told(1)[0], decided_ns=most, known_ns=most, result_ppm=-(2**63), risk_ppm=most)

    async def work() -> None:
        memory = LocalMemory()
        await memory.info(SPACE)
        await memory.remember(SPACE, [episode], vectors(1), at=LogPosition(most, position(1).digest))
        assert await memory.get(SPACE, episode.id) == episode
        assert len(await memory.recall(SPACE, vectors(1)[0], 1, most, ANY)) == 1
        assert await memory.recall(SPACE, vectors(1)[0], 1, most - 1, ANY) == []
        await memory.close()

    anyio.run(work)


def test_what_another_process_writes_is_found_at_the_next_call(tmp_path: Path) -> None:
    async def work() -> None:
        mine, other = (LocalMemory(LocalMemorySettings(path=tmp_path / "m.sqlite")) for _ in range(2))
        await mine.remember(SPACE, told(5), vectors(5))
        assert len(await mine.recall(SPACE, vectors(1)[0], 10, LATE, ANY)) == 5
        await other.remember(SPACE, told(5, first=5), vectors(5, seed=2), at=position(3))
        assert len(await mine.recall(SPACE, vectors(1)[0], 20, LATE, ANY)) == 10
        assert (await mine.info(SPACE)).applied == position(3)
        await other.clear(SPACE)
        assert await mine.recall(SPACE, vectors(1)[0], 20, LATE, ANY) == []
        await mine.close()
        await other.close()

    anyio.run(work)


@pytest.mark.parametrize("blocked", [False, True], ids=["as a rule", "no sign can be made"])
def test_every_write_of_another_process_is_found_at_the_next_call(tmp_path: Path, blocked: bool) -> None:  # noqa: FBT001
    if blocked:
        (tmp_path / "m.sqlite-sign").mkdir()

    async def work() -> None:
        mine, other = (LocalMemory(LocalMemorySettings(path=tmp_path / "m.sqlite")) for _ in range(2))
        for number in range(20):
            await other.remember(SPACE, told(1, first=number), vectors(1, seed=number))
            for _ in range(2):
                assert len(await mine.recall(SPACE, vectors(1)[0], 50, LATE, ANY)) == number + 1
        await mine.close()
        await other.close()

    anyio.run(work)


def test_who_knows_no_sign_is_noticed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.sqlite"

    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=path))
        await memory.remember(SPACE, told(5), vectors(5))
        assert len(await memory.recall(SPACE, vectors(1)[0], 10, LATE, ANY)) == 5
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DELETE FROM episode WHERE id = ?", (told(1)[0].id,))
        monkeypatch.setattr(sqlite, "SIGN_NS", 0)  # as if its time had passed
        assert len(await memory.recall(SPACE, vectors(1)[0], 10, LATE, ANY)) == 4
        await memory.close()

    anyio.run(work)


@pytest.mark.parametrize("stretched", [1.0, 1e-20, 1e20, 1.000001], ids=str)
def test_what_is_asked_may_have_any_length(stretched: float) -> None:
    async def work() -> None:
        memory = LocalMemory()
        await memory.remember(SPACE, told(5), vectors(5))
        unit = SPACE.unit(vectors(1, seed=3)[0])
        asked = (unit.astype(np.float64) * stretched).astype(np.float32)
        wide = [SPACE.unit(one).astype(np.float64) for one in vectors(5)]
        true = sorted(1.0 - float((one * unit).sum()) for one in wide)
        for one in (asked, asked.repeat(2)[::2], np.frombuffer(asked.tobytes(), np.float32)):
            matches = await memory.recall(SPACE, one, 5, LATE, ANY)
            assert [match.distance for match in matches] == pytest.approx(true, abs=2e-6)
        await memory.close()

    anyio.run(work)


def test_an_index_of_another_history_is_refused_and_left_alone(tmp_path: Path) -> None:
    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=tmp_path / "m.sqlite"))
        await memory.remember(SPACE, told(1), vectors(1), at=position(4))
        with pytest.raises(DataError, match=r"folded from another log: entry 4 .* fold the log anew"):
            await memory.forget(SPACE, told(1)[0].id, at=position(4, history="other"))
        assert await memory.get(SPACE, told(1)[0].id) == told(1)[0]
        assert (await memory.stats()).forgotten == 0
        await memory.close()

    anyio.run(work)


def test_who_recalls_again_and_again_lets_others_run() -> None:
    async def work() -> int:
        memory = LocalMemory()
        await memory.remember(SPACE, told(5), vectors(5))
        await memory.info(SPACE)
        done = anyio.Event()
        turns = 0

        async def recall() -> None:
            for _ in range(2_000):
                await memory.recall(SPACE, vectors(1)[0], 1, LATE, ANY)
            done.set()

        async with anyio.create_task_group() as group:
            group.start_soon(recall)
            while not done.is_set():
                turns += 1
                await anyio.lowlevel.checkpoint()
        await memory.close()
        return turns

    assert anyio.run(work) > 3, "two thousand recalls take many milliseconds"


@pytest.mark.parametrize("way", ["the task", "a timeout", "wait_for", "a scope"])
def test_a_write_that_is_cancelled_is_in_memory_where_it_is_in_the_file(tmp_path: Path, way: str) -> None:
    path = tmp_path / "m.sqlite"

    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=path))
        await memory.remember(SPACE, told(1), vectors(1), at=position(1))
        await memory.info(SPACE)
        cut = asyncio.Event()

        async def write() -> None:
            await memory.remember(SPACE, told(5), vectors(5), at=position(2))

        async def asked() -> None:
            if way == "the task":
                await write()
            elif way == "a timeout":
                async with asyncio.timeout(None) as limit:
                    cutting = asyncio.get_running_loop().create_task(cut.wait())
                    cutting.add_done_callback(lambda _: limit.reschedule(0))
                    await write()
            elif way == "wait_for":
                await asyncio.wait_for(write(), None)
            else:
                with anyio.CancelScope() as scope:
                    cutting = asyncio.get_running_loop().create_task(cut.wait())
                    cutting.add_done_callback(lambda _: scope.cancel())
                    await write()

        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # the write's thread waits for it
            task = asyncio.get_running_loop().create_task(asked())
            while not memory._file._turn.locked():
                await anyio.lowlevel.checkpoint()
            cut.set() if way in {"a timeout", "a scope"} else task.cancel()
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
            assert not task.done(), "it waits for its thread"
            other.execute("ROLLBACK")
        if way == "a scope":
            await task
        else:
            with pytest.raises(TimeoutError if way == "a timeout" else asyncio.CancelledError):
                await task
        info = await memory.info(SPACE)
        assert (info.entries, info.applied) == (5, position(2))
        [match] = await memory.recall(SPACE, vectors(5)[4], 1, LATE, ANY)
        assert match.episode_id == told(5)[4].id
        await memory.remember(SPACE, told(1, first=5), vectors(1, seed=1), at=position(3))
        await memory.close()

    anyio.run(work)


def test_without_a_file_nothing_is_kept() -> None:
    async def work() -> None:
        memory = LocalMemory()
        await memory.remember(SPACE, told(3), vectors(3))
        assert (await memory.info(SPACE)).entries == 3
        await memory.close()
        assert (await memory.info(SPACE)).entries == 0, "opened again it is another memory"
        await memory.close()

    anyio.run(work)


def test_a_file_that_is_no_memory_is_refused_and_told(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 20)

    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=path))
        health = await memory.health()
        assert health.condition is Condition.DOWN
        assert "m.sqlite is not a store of this kind" in health.reason
        with pytest.raises(DataError, match="not a store of this kind"):
            await memory.recall(SPACE, vectors(1)[0], 1, LATE, ANY)

    anyio.run(work)
