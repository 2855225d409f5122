"""The file of a graph: believed only as it was written, named only once it is there, and nothing fails without it."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest

from coinswarm.domain.episode import ANY, Episode, Match, Space
from coinswarm.domain.health import Condition
from coinswarm.drivers import episodes, graph_file, neighbours
from coinswarm.drivers.episodes import LocalMemory
from coinswarm.drivers.neighbours import Neighbours
from coinswarm.drivers.settings import LocalMemorySettings
from coinswarm_testkit.cases.episodes import numbered

if TYPE_CHECKING:
    from pathlib import Path

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

SPACE = Space("swarm", "state.1", 8)
LATE = 10**18


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph is asked where there are hundreds already."""
    monkeypatch.setattr(neighbours, "FEW", 20)


@pytest.fixture
def settings(tmp_path: Path) -> LocalMemorySettings:
    return LocalMemorySettings(path=tmp_path / "m.sqlite", exact_entries=100)


def told(count: int, first: int = 0) -> list[Episode]:
    return [numbered(number) for number in range(first, first + count)]


def vectors(count: int, seed: int = 0) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)


async def found(memory: LocalMemory) -> list[list[Match]]:
    return [list(await memory.recall(SPACE, vector, 5, LATE, ANY)) for vector in vectors(10, seed=1)]


def graphs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.graph"))


async def made(settings: LocalMemorySettings) -> None:
    """A memory of three hundred, and the graph over them in its file."""
    memory = LocalMemory(settings)
    await memory.info(SPACE)
    await memory.remember(SPACE, told(300), vectors(300))
    await memory.close()


@pytest.mark.parametrize("damage", ["cut short", "cut by half", "a byte", "zeros at its end", "longer"])
def test_a_graph_that_is_not_as_it_was_written_is_built_anew(
    tmp_path: Path, settings: LocalMemorySettings, damage: str
) -> None:
    async def work() -> None:
        await made(settings)
        (graph,) = graphs(tmp_path)
        data = bytearray(graph.read_bytes())
        if damage == "cut short":
            data = data[:-1]
        elif damage == "cut by half":
            data = data[: len(data) // 2]
        elif damage == "a byte":
            data[len(data) // 2] ^= 0xFF
        elif damage == "longer":
            data += b"\0"
        else:
            data[-4_096:] = bytes(4_096)
        graph.write_bytes(data)
        again = LocalMemory(settings)
        before = await found(again)
        assert not again._held[SPACE].has_graph, "looked at one by one"
        await again.remember(SPACE, told(1), vectors(1))
        assert again._held[SPACE].has_graph
        assert await found(again) == before
        await again.close()
        third = LocalMemory(settings)
        await found(third)
        assert third._held[SPACE].has_graph, "what was built is in its file"
        await third.close()
        assert len(graphs(tmp_path)) == 1

    anyio.run(work)


def test_a_graph_of_an_older_version_is_built_anew(tmp_path: Path, settings: LocalMemorySettings) -> None:
    async def work() -> None:
        await made(settings)
        old = graphs(tmp_path)
        assert settings.path is not None
        with closing(sqlite3.connect(settings.path, isolation_level=None)) as older:
            older.execute("ALTER TABLE space DROP COLUMN checksum")
        memory = LocalMemory(settings)
        before = await found(memory)
        assert not memory._held[SPACE].has_graph
        await memory.optimize(SPACE)
        assert memory._held[SPACE].has_graph
        assert await found(memory) == before
        await memory.close()
        assert len(graphs(tmp_path)) == 1
        assert graphs(tmp_path) != old
        again = LocalMemory(settings)
        await again.info(SPACE)
        assert again._held[SPACE].has_graph
        await again.close()

    anyio.run(work)


def test_a_disk_that_is_full_costs_the_graph_and_nothing_else(
    tmp_path: Path, settings: LocalMemorySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episodes, "SAVED_AFTER", 1)
    monkeypatch.setattr(episodes, "SAVED_SHARE", 0.0)

    def full(_: Neighbours, path: Path) -> int:
        path.write_bytes(b"half of it")
        message = "File write error"  # as usearch says it
        raise RuntimeError(message)

    async def work() -> None:
        await made(settings)
        old = graphs(tmp_path)
        memory = LocalMemory(settings)
        await memory.info(SPACE)
        with monkeypatch.context() as patch:
            patch.setattr(Neighbours, "save", full)
            await memory.remember(SPACE, told(5, first=300), vectors(5, seed=3))
            assert (await memory.info(SPACE)).entries == 305
            assert graphs(tmp_path) == old, "the old one is kept, and nothing beside it"
            health = await memory.health()
            assert health.condition is Condition.IMPAIRED
            assert "the graph of state.1 cannot be written" in health.reason
            assert "RuntimeError: File write error" in health.reason
            await memory.optimize(SPACE)
            before = await found(memory)
            await memory.close()
        assert memory._file._connection is None
        again = LocalMemory(settings)
        assert await found(again) == before
        await again.optimize(SPACE)
        assert (await again.health()).condition is Condition.GOOD
        assert graphs(tmp_path) != old
        await again.close()

    anyio.run(work)


def test_a_graph_is_named_only_once_it_is_on_the_disk(
    tmp_path: Path, settings: LocalMemorySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(_: int) -> None:
        message = "no such luck"
        raise OSError(message)

    async def work() -> None:
        memory = LocalMemory(settings)
        await memory.info(SPACE)
        await memory.remember(SPACE, told(300), vectors(300))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", torn)
            await memory.optimize(SPACE)
            assert graphs(tmp_path) == []
            assert "OSError: no such luck" in (await memory.health()).reason
        await memory.close()
        assert len(graphs(tmp_path)) == 1, "tried again at the end"

    anyio.run(work)


def test_who_holds_the_file_while_a_graph_is_named_fails_no_write(
    tmp_path: Path, settings: LocalMemorySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episodes, "SAVED_AFTER", 1)
    brief = settings.model_copy(update={"busy_seconds": 0.0})
    assert brief.path is not None
    with closing(sqlite3.connect(brief.path, isolation_level=None, check_same_thread=False)) as other:

        def held(own: Neighbours, path: Path) -> int:
            other.execute("BEGIN IMMEDIATE")
            return save(own, path)

        async def work() -> None:
            memory = LocalMemory(brief)
            await memory.info(SPACE)
            await memory.remember(SPACE, told(300), vectors(300))
            other.execute("ROLLBACK")
            assert (await memory.info(SPACE)).entries == 300
            assert graphs(tmp_path) == []
            assert "held by another process" in (await memory.health()).reason
            monkeypatch.setattr(Neighbours, "save", save)
            await memory.close()
            assert len(graphs(tmp_path)) == 1

        save = Neighbours.save
        monkeypatch.setattr(Neighbours, "save", held)
        anyio.run(work)


def test_files_that_were_left_behind_are_removed_and_no_others(tmp_path: Path, settings: LocalMemorySettings) -> None:
    anyio.run(made, settings)
    (named,) = graphs(tmp_path)
    left = tmp_path / f"m.sqlite-{'0' * 16}.graph"
    kept = [
        named,
        tmp_path / f"m.sqlite-{'1' * 16}.graph",  # somebody is just saving it
        tmp_path / f"m.sqlite-a-{'2' * 16}.graph",  # of another database
        tmp_path / f"n.sqlite-{'3' * 16}.graph",
        tmp_path / "m.sqlite-mine.graph",
    ]
    for path in (left, *kept[1:]):
        path.write_bytes(b"x")
    for path in (left, *kept[:1], *kept[2:]):
        os.utime(path, ns=(0, time.time_ns() - graph_file.LEFT_BEHIND_NS - 10**9))

    async def work() -> None:
        memory = LocalMemory(settings)
        await found(memory)
        assert memory._held[SPACE].has_graph
        await memory.close()

    anyio.run(work)
    assert graphs(tmp_path) == sorted(kept)
