"""The time series store ``local``: one SQLite file, one table of lanes (series and tags), one of points."""

from __future__ import annotations

import heapq
import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from coinswarm.domain.observation import Cursor
from coinswarm.domain.stored import Point
from coinswarm.drivers.sqlite import SqliteFile
from coinswarm.drivers.values import demand_name, demand_scalar, microseconds, moment
from coinswarm.ports import TimeSeriesStore

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from coinswarm.domain.health import Health
    from coinswarm.drivers.settings import LocalFileSettings

    Row = tuple[int, str, str, str]
    """Time, tags, key, values: the order of points."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS lane (
    id INTEGER PRIMARY KEY, series TEXT NOT NULL, tags TEXT NOT NULL, UNIQUE (series, tags)
);
CREATE TABLE IF NOT EXISTS point (
    lane INTEGER NOT NULL REFERENCES lane, time INTEGER NOT NULL, key TEXT NOT NULL, vals TEXT NOT NULL,
    PRIMARY KEY (lane, time, key)
) WITHOUT ROWID;
"""


class LocalTimeSeries(TimeSeriesStore):
    """Times are microseconds since the epoch; values are JSON, so that they keep their types."""

    def __init__(self, settings: LocalFileSettings) -> None:
        self._file = SqliteFile(settings, SCHEMA)

    async def __aenter__(self) -> Self:
        """Open the file."""
        await self._file.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        await self._file.close()

    async def health(self) -> Health:
        """Whether the file can be read."""
        return await self._file.health()

    async def write(self, points: Sequence[Point]) -> None:
        """Keep points, all or none."""
        rows = [_row(point) for point in points]

        def work(connection: sqlite3.Connection) -> None:
            lanes: dict[tuple[str, str], int] = {}
            for lane, time, key, values in rows:
                if lane not in lanes:
                    connection.execute("INSERT OR IGNORE INTO lane (series, tags) VALUES (?, ?)", lane)
                    found = connection.execute("SELECT id FROM lane WHERE series = ? AND tags = ?", lane)
                    [lanes[lane]] = found.fetchone()
                connection.execute("INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?)", (lanes[lane], time, key, values))

        await self._file.write(work)

    async def read(  # noqa: PLR0913 - each argument narrows what is read
        self,
        series: str,
        *,
        begin: datetime,
        end: datetime,
        tags: Mapping[str, str] | None = None,
        limit: int = 10_000,
        after: Cursor | None = None,
    ) -> tuple[Sequence[Point], Cursor | None]:
        """Points by time, then tags and key: the lanes' own order, merged."""
        low, high = microseconds("begin", begin), microseconds("end", end)
        limit = max(1, limit)
        passed: tuple[int, str, str] | None = None
        if after is not None:
            time, passed_tags, key = json.loads(after.text)
            passed = (int(time), str(passed_tags), str(key))
            low = max(low, passed[0])

        def work(connection: sqlite3.Connection) -> list[Row]:
            lanes = [
                _ordered(connection, lane, lane_tags, low, high) for lane, lane_tags in _lanes(connection, series, tags)
            ]
            merged = (row for row in heapq.merge(*lanes) if passed is None or row[:3] > passed)
            return list(islice(merged, limit + 1))

        rows = await self._file.read(work)
        cursor = Cursor(json.dumps(rows[limit - 1][:3])) if len(rows) > limit else None
        return [_point(series, row) for row in rows[:limit]], cursor

    async def last(self, series: str, *, tags: Mapping[str, str] | None = None) -> Point | None:
        """The newest point."""

        def work(connection: sqlite3.Connection) -> Row | None:
            newest: list[Row] = []
            for lane, lane_tags in _lanes(connection, series, tags):
                query = "SELECT time, key, vals FROM point WHERE lane = ? ORDER BY time DESC, key DESC LIMIT 1"
                found = connection.execute(query, (lane,)).fetchone()
                if found is not None:
                    newest.append((found[0], lane_tags, found[1], found[2]))
            return max(newest, default=None)

        row = await self._file.read(work)
        return None if row is None else _point(series, row)

    async def delete(self, series: str, *, before: datetime) -> int:
        """Forget points older than a time."""
        limit = microseconds("before", before)

        def work(connection: sqlite3.Connection) -> int:
            query = "DELETE FROM point WHERE lane IN (SELECT id FROM lane WHERE series = ?) AND time < ?"
            return connection.execute(query, (series, limit)).rowcount

        return await self._file.write(work)


def _row(point: Point) -> tuple[tuple[str, str], int, str, str]:
    """Lane, time, key and values of a point.

    :raises ValueError: for what the port refuses.
    """
    demand_name("series", point.series)
    demand_name("key", point.key, empty=True)
    for name, tag in point.tags.items():
        demand_name("a tag's name", name)
        demand_name(f"the tag {name!r}", tag, empty=True)
    if not point.values:
        message = f"a point of {point.series!r} has no values"
        raise ValueError(message)
    for name, value in point.values.items():
        demand_name("a value's name", name)
        demand_scalar(f"{point.series}.{name}", value)
    time = microseconds(f"the time of a point of {point.series!r}", point.time)
    return (point.series, _text(dict(point.tags))), time, point.key, json.dumps(dict(point.values))


def _text(tags: dict[str, str]) -> str:
    """Tags in one spelling."""
    return json.dumps(tags, sort_keys=True, ensure_ascii=False)


def _point(series: str, row: Row) -> Point:
    """A point from its row."""
    time, tags, key, values = row
    parsed: dict[str, Any] = json.loads(values)
    return Point(series, moment(time), parsed, json.loads(tags), key)


def _lanes(connection: sqlite3.Connection, series: str, tags: Mapping[str, str] | None) -> list[tuple[int, str]]:
    """Lanes of a series that have all the tags."""
    wanted = dict(tags or {}).items()
    rows = connection.execute("SELECT id, tags FROM lane WHERE series = ?", (series,)).fetchall()
    return [(lane, text) for lane, text in rows if wanted <= json.loads(text).items()]


def _ordered(connection: sqlite3.Connection, lane: int, tags: str, low: int, high: int) -> Iterator[Row]:
    """Rows of a lane, by time and key."""
    query = "SELECT time, key, vals FROM point WHERE lane = ? AND time >= ? AND time < ? ORDER BY time, key"
    for time, key, values in connection.execute(query, (lane, low, high)):
        yield time, tags, key, values
