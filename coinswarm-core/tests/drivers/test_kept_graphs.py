"""Graphs of the local memory in their files: kept, lost, grown, built beside recalls and by several processes."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest

from coinswarm.domain.episode import ANY, Episode, Match, Space
from coinswarm.drivers import episodes, neighbours
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.settings import LocalMemorySettings
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


async def found(memory: LocalMemory) -> list[list[Match]]:
    return [list(await memory.recall(SPACE, vector, 5, LATE, ANY)) for vector in vectors(10, seed=1)]


def graphs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.graph"))


def test_a_graph_outlives_the_process_and_learns_what_it_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "FEW", 20)
    monkeypatch.setattr(episodes, "SAVED_AFTER", 10**6)
    settings = LocalMemorySettings(path=tmp_path / "m.sqlite", exact_entries=100)
    many = vectors(300)

    async def work() -> None:
        memory = LocalMemory(settings)
        await memory.info(SPACE)
        await memory.remember(SPACE, told(300), many)
        assert not (await memory.info(SPACE)).exact
        await memory.optimize(SPACE)
        assert len(graphs(tmp_path)) == 1
        await memory.remember(SPACE, told(5, first=300), vectors(5, seed=3))
        await memory.forget(SPACE, told(1)[0].id)
        before = await found(memory)
        # The process dies here: what is in the file was written, the graph's file is older.
        again = LocalMemory(settings)
        assert await found(again) == before
        held = again._held[SPACE]
        assert held.has_graph
        assert held.growth() is None, "the five are in it"
        await again.close()
        await memory.close()

    anyio.run(work)


def test_a_graph_built_by_several_threads_finds_what_one_built_by_one_finds(tmp_path: Path) -> None:
    many = vectors(3_000)

    async def work(threads: int) -> list[list[Match]]:
        settings = LocalMemorySettings(path=tmp_path / f"{threads}.sqlite", exact_entries=100, graph_threads=threads)
        memory = LocalMemory(settings)
        await memory.info(SPACE)
        await memory.remember(SPACE, told(3_000), many)
        assert memory._held[SPACE].has_graph
        answers = await found(memory)
        await memory.close()
        return answers

    (by_one, by_three) = (anyio.run(work, threads) for threads in (1, 3))
    same = [len(set(one) & set(three)) / 5 for one, three in zip(by_one, by_three, strict=True)]
    assert sum(same) / len(same) >= 0.95


def test_a_graph_that_grows_is_saved_less_often_the_larger_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episodes, "SAVED_AFTER", 10)
    monkeypatch.setattr(episodes, "SAVED_SHARE", 0.5)
    saved: list[Path] = []

    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=tmp_path / "m.sqlite", exact_entries=20))
        await memory.info(SPACE)
        for first in range(0, 400, 10):
            await memory.remember(SPACE, told(10, first), vectors(10, seed=first))
            if graphs(tmp_path) != saved[-1:]:
                saved.extend(graphs(tmp_path))
        await memory.close()

    anyio.run(work)
    assert 3 <= len(saved) <= 7, "a write of every ten would have been 37 of them"


@pytest.mark.parametrize("damage", ["missing", "garbage", "empty"])
def test_a_lost_graph_is_built_by_the_next_write(tmp_path: Path, damage: str) -> None:
    settings = LocalMemorySettings(path=tmp_path / "m.sqlite", exact_entries=100)

    async def work() -> None:
        memory = LocalMemory(settings)
        await memory.info(SPACE)
        await memory.remember(SPACE, told(300), vectors(300))
        await memory.close()
        (graph,) = graphs(tmp_path)
        if damage == "missing":
            graph.unlink()
        else:
            graph.write_bytes(b"" if damage == "empty" else b"x" * 5_000)
        again = LocalMemory(settings)
        answers = await found(again)
        assert not again._held[SPACE].has_graph, "looked at one by one meanwhile"
        await again.remember(SPACE, [replace(told(1)[0], result_ppm=1)], vectors(1))
        assert again._held[SPACE].has_graph
        assert await found(again) == answers
        await again.close()
        assert len(graphs(tmp_path)) == 1

    anyio.run(work)


def test_a_cleared_space_leaves_no_file_behind_and_no_key_is_used_twice(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"

    async def work() -> None:
        memory = LocalMemory(LocalMemorySettings(path=path, exact_entries=10))
        await memory.info(SPACE)
        await memory.remember(SPACE, told(30), vectors(30))
        await memory.optimize(SPACE)
        assert len(graphs(tmp_path)) == 1
        await memory.clear(SPACE)
        assert graphs(tmp_path) == []
        await memory.remember(SPACE, told(1), vectors(1))
        await memory.close()

    anyio.run(work)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT key FROM episode").fetchall() == [(31,)]
    connection.close()


def test_recall_goes_on_while_a_graph_is_built(tmp_path: Path) -> None:
    settings = LocalMemorySettings(path=tmp_path / "m.sqlite", exact_entries=1_000)

    async def work() -> list[int]:
        memory = LocalMemory(settings)
        await memory.info(SPACE)
        seen: list[int] = []
        done = anyio.Event()

        async def write() -> None:
            await memory.remember(SPACE, told(1_500), vectors(1_500))
            done.set()

        async with anyio.create_task_group() as group:
            group.start_soon(write)
            while not done.is_set():
                seen.append(len(await memory.recall(SPACE, vectors(1)[0], 5, LATE, ANY)))
                await anyio.lowlevel.checkpoint()
        assert len(await memory.recall(SPACE, vectors(1)[0], 5, LATE, ANY)) == 5
        await memory.close()
        return seen

    seen = anyio.run(work)
    assert set(seen) <= {0, 5}, "all of the batch or nothing"
    assert 5 in seen


def test_a_graph_is_never_said_to_hold_what_another_process_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "FEW", 10)
    monkeypatch.setattr(episodes, "SAVED_AFTER", 1)
    settings = LocalMemorySettings(path=tmp_path / "m.sqlite", exact_entries=50)
    theirs = vectors(20, seed=5)

    async def work() -> None:
        mine, other = LocalMemory(settings), LocalMemory(settings)
        await mine.info(SPACE)
        await mine.remember(SPACE, told(200), vectors(200))
        await other.remember(SPACE, told(20, first=200), theirs)
        await mine.remember(SPACE, told(1, first=300), vectors(1, seed=6))
        await mine.close()
        await other.close()
        again = LocalMemory(settings)
        for episode, vector in zip(told(20, first=200), theirs, strict=True):
            (match,) = await again.recall(SPACE, vector, 1, LATE, ANY)
            assert match.episode_id == episode.id
        await again.remember(SPACE, told(1, first=301), vectors(1, seed=7))
        assert again._held[SPACE].has_graph
        for episode, vector in zip(told(20, first=200), theirs, strict=True):
            (match,) = await again.recall(SPACE, vector, 1, LATE, ANY)
            assert match.episode_id == episode.id
        await again.close()

    anyio.run(work)
