"""The local stores: what the contract suite of the testkit does not ask: files, other processes, damage."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.health import Condition
from coinswarm.domain.stored import Point, Record
from coinswarm.drivers.documents import LocalDocuments
from coinswarm.drivers.settings import LocalFileSettings
from coinswarm.drivers.timeseries import LocalTimeSeries
from coinswarm.errors import DataError, NotReadyError, OutputError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

T = datetime(2024, 5, 1, tzinfo=UTC)


def test_what_was_written_is_there_for_another_process(tmp_path: Path) -> None:
    path = tmp_path / "documents.sqlite"

    async def write() -> None:
        async with LocalDocuments(LocalFileSettings(path=path)) as store:
            await store.put("news", [Record("1", T, {"title": "x"})])

    anyio.run(write)
    code = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT id, body FROM record').fetchall())"
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == """[('1', '{"title":"x"}')]"""


def test_every_commit_is_synced(tmp_path: Path) -> None:
    async def settings() -> tuple[str, int]:
        async with LocalDocuments(LocalFileSettings(path=tmp_path / "d.sqlite")) as store:
            return await store._file.read(
                lambda c: (
                    c.execute("PRAGMA journal_mode").fetchone()[0],
                    c.execute("PRAGMA synchronous").fetchone()[0],
                )
            )

    assert anyio.run(settings) == ("wal", 2), "2 is FULL: a commit is on the disk before it returns"


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    async def write() -> object:
        async with LocalDocuments(LocalFileSettings(path=tmp_path / "d.sqlite")) as store:
            with pytest.raises(ValueError, match=r"body of '2'\.x"):
                await store.put("news", [Record("1", T, {}), Record("2", T, {"x": {1, 2}})])

            def half(connection: sqlite3.Connection) -> None:
                connection.execute("INSERT INTO record VALUES ('news', '3', 0, '{}')")
                raise RuntimeError

            with pytest.raises(RuntimeError):
                await store._file.write(half)
            return await store.find("news")

    assert anyio.run(write) == ([], None)


def test_a_file_held_by_another_is_unreachable_and_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "series.sqlite"

    async def blocked() -> None:
        async with LocalTimeSeries(LocalFileSettings(path=path, busy_seconds=0)) as store:
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(UnreachableError, match="held by another process"):
                await store.write([Point("p", T, {"v": 1})])
            assert (await store.health()).condition is Condition.GOOD
            other.execute("ROLLBACK")
            other.close()
            await store.write([Point("p", T, {"v": 1})])
            assert await store.last("p") == Point("p", T, {"v": 1})

    anyio.run(blocked)


def test_whoever_is_cancelled_waits_for_the_thread_that_has_the_connection(tmp_path: Path) -> None:
    path = tmp_path / "series.sqlite"

    async def cancelled() -> None:
        async with LocalTimeSeries(LocalFileSettings(path=path)) as store:
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            task = asyncio.get_running_loop().create_task(store.write([Point("p", T, {"v": 1})]))
            for _ in range(20):  # the thread waits for the other
                await anyio.lowlevel.checkpoint()
            for _ in range(3):
                task.cancel()
                await anyio.lowlevel.checkpoint()
            assert not task.done()
            other.execute("ROLLBACK")
            other.close()
            with pytest.raises(asyncio.CancelledError):
                await task
            await store.write([Point("p", T + timedelta(seconds=1), {"v": 2})])
            assert (await store.read("p", begin=T, end=T + timedelta(hours=1)))[0] == [
                Point("p", T, {"v": 1}), Point("p", T + timedelta(seconds=1), {"v": 2}),
            ]  # fmt: skip

    anyio.run(cancelled)


def test_who_is_cancelled_while_a_file_is_opened_leaves_none_open(tmp_path: Path) -> None:
    async def cancelled() -> None:
        store = LocalTimeSeries(LocalFileSettings(path=tmp_path / "series.sqlite"))
        other = sqlite3.connect(tmp_path / "series.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        task = asyncio.get_running_loop().create_task(store.__aenter__())
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        task.cancel()
        await anyio.lowlevel.checkpoint()
        other.execute("ROLLBACK")
        other.close()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert store._file._connection is None

    anyio.run(cancelled)


def test_a_file_that_is_none_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite"
    path.write_text("this is a text of more than sixteen bytes\n" * 40)

    async def opened(path: Path) -> None:
        async with LocalDocuments(LocalFileSettings(path=path)):
            pass

    with pytest.raises(DataError, match=r"text\.sqlite is not a store"):
        anyio.run(opened, path)
    with pytest.raises(OutputError, match="cannot be used"):
        anyio.run(opened, tmp_path / "missing" / "d.sqlite")


def test_a_store_that_is_not_open() -> None:
    store = LocalDocuments(LocalFileSettings())
    with pytest.raises(NotReadyError, match="in memory is not open"):
        anyio.run(store.get, "news", "1")
    assert anyio.run(store.health).condition is Condition.DOWN


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)

JSON: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


def typed(value: object) -> object:
    """A value with its types, since 1 == True == 1.0."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return [typed(item) for item in value] if isinstance(value, list) else (type(value), repr(value))


@pytest.mark.parametrize("text", ["a\0", "\0", "a\0b", "\ud800"])
def test_a_text_that_would_be_found_by_its_beginning_is_refused(text: str) -> None:
    async def asked() -> None:
        async with LocalDocuments(LocalFileSettings()) as store:
            for body in ({"a": text}, {text: 1}, {"a": [{"b": {text: 1}}]}, {"a": [[text]]}):
                with pytest.raises(ValueError, match="must be a text without NUL and half letters: take them out"):
                    await store.put("news", [Record("1", T, body)])
            for where in ({"a": text}, {text: 1}, {text: None}):
                with pytest.raises(ValueError, match="must be a text without NUL"):
                    await store.find("news", where=where)
            assert (await store.find("news"))[0] == []

    anyio.run(asked)


@given(body=st.dictionaries(TEXT, JSON, max_size=4))
def test_any_json_comes_back_as_it_went_in(body: dict[str, Any]) -> None:
    async def there_and_back() -> Record | None:
        async with LocalDocuments(LocalFileSettings()) as store:
            await store.put("news", [Record("1", T, body)])
            return await store.get("news", "1")

    found = anyio.run(there_and_back)
    assert found is not None
    assert typed(found.body) == typed(body)


scalars = st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.sampled_from(["", "a", "1", "true", "null", "$"])


KEYS = st.sampled_from(["a", "$.a", "a.b", '"'])
BODIES = st.lists(st.dictionaries(KEYS, scalars | st.none(), max_size=2), max_size=6)


@given(bodies=BODIES, key=KEYS, value=scalars | st.none())
def test_conditions_mean_what_they_say(bodies: list[dict[str, Any]], key: str, value: object) -> None:
    def holds(body: dict[str, Any]) -> bool:
        if key not in body:
            return False
        same_kind = type(body[key]) is type(value) or {type(body[key]), type(value)} == {int, float}
        return same_kind and bool(body[key] == value)

    async def found() -> list[str]:
        async with LocalDocuments(LocalFileSettings()) as store:
            await store.put("c", [Record(str(i), T, body) for i, body in enumerate(bodies)])
            records, _ = await store.find("c", where={key: value})
            return [record.id for record in records]

    assert anyio.run(found) == [str(i) for i, body in enumerate(bodies) if holds(body)]


ROWS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", ""]), st.sampled_from(["1", "2"])), max_size=20)


@given(rows=ROWS, limit=st.integers(1, 7))
def test_pages_are_the_whole_in_order(rows: list[tuple[int, str, str]], limit: int) -> None:
    points = [Point("p", T + timedelta(seconds=s), {"n": n}, {"t": tag}, key) for n, (s, tag, key) in enumerate(rows)]
    kept = {(p.time, p.tags["t"], p.key): p for p in points}

    async def paged() -> list[Point]:
        async with LocalTimeSeries(LocalFileSettings()) as store:
            await store.write(points)
            found: list[Point] = []
            cursor = None
            while True:
                page, cursor = await store.read("p", begin=T, end=T + timedelta(seconds=5), limit=limit, after=cursor)
                assert len(page) == limit or cursor is None
                found.extend(page)
                if cursor is None:
                    return found

    expected = [point for identity, point in sorted(kept.items()) if identity[0] < T + timedelta(seconds=5)]
    assert anyio.run(paged) == expected
