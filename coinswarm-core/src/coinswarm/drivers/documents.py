"""The document store ``local``: one SQLite file, bodies as JSON, found by time and by top-level values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from coinswarm.domain.observation import Cursor
from coinswarm.domain.stored import Record
from coinswarm.drivers.sqlite import SqliteFile
from coinswarm.drivers.values import demand_name, demand_scalar, demand_text, json_text, microseconds, moment
from coinswarm.ports import DocumentStore

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from coinswarm.domain.health import Health
    from coinswarm.drivers.settings import LocalFileSettings

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    collection TEXT NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (collection, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_time ON record (collection, time, id);
"""


class LocalDocuments(DocumentStore):
    """Conditions are bound as parameters, keys too: no text of a caller becomes part of a statement."""

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

    async def put(self, collection: str, records: Sequence[Record]) -> int:
        """Keep documents, all or none; how many were new."""
        demand_name("collection", collection)
        rows = []
        for record in records:
            demand_name("id", record.id)
            time = microseconds(f"the time of {record.id!r}", record.time)
            rows.append((collection, record.id, time, json_text(f"the body of {record.id!r}", record.body)))

        def work(connection: sqlite3.Connection) -> int:
            new = 0
            for row in rows:
                known = connection.execute("SELECT 1 FROM record WHERE collection = ? AND id = ?", row[:2]).fetchone()
                new += known is None
                connection.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", row)
            return new

        return await self._file.write(work)

    async def get(self, collection: str, key: str) -> Record | None:
        """The document of that id."""
        query = "SELECT id, time, body FROM record WHERE collection = ? AND id = ?"
        row = await self._file.read(lambda connection: connection.execute(query, (collection, key)).fetchone())
        return None if row is None else _record(row)

    async def find(  # noqa: PLR0913 - each argument narrows what is found
        self,
        collection: str,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        where: Mapping[str, Any] | None = None,
        limit: int = 1_000,
        newest: bool = False,
        after: Cursor | None = None,
    ) -> tuple[Sequence[Record], Cursor | None]:
        """Documents by time and id."""
        terms, values = ["collection = ?"], [collection]
        bound: list[Any] = values
        if begin is not None:
            terms.append("time >= ?")
            bound.append(microseconds("begin", begin))
        if end is not None:
            terms.append("time < ?")
            bound.append(microseconds("end", end))
        for key, value in (where or {}).items():
            term, arguments = _condition(key, value)
            terms.append(term)
            bound.extend(arguments)
        if after is not None:
            terms.append("(time, id) < (?, ?)" if newest else "(time, id) > (?, ?)")
            bound.extend(json.loads(after.text))
        way = "DESC" if newest else "ASC"
        limit = max(1, limit)
        query = f"SELECT id, time, body FROM record WHERE {' AND '.join(terms)} ORDER BY time {way}, id {way} LIMIT ?"  # noqa: S608 - terms are ours

        rows = await self._file.read(lambda connection: connection.execute(query, (*bound, limit + 1)).fetchall())
        cursor = None
        if len(rows) > limit:
            key, time, _ = rows[limit - 1]
            cursor = Cursor(json.dumps([time, key]))
        return [_record(row) for row in rows[:limit]], cursor

    async def delete(self, collection: str, keys: Sequence[str]) -> int:
        """Forget documents."""
        rows = [(collection, key) for key in keys]

        def work(connection: sqlite3.Connection) -> int:
            query = "DELETE FROM record WHERE collection = ? AND id = ?"
            return sum(connection.execute(query, row).rowcount for row in rows)

        return await self._file.write(work)


def _record(row: tuple[str, int, str]) -> Record:
    """A document from its row."""
    return Record(row[0], moment(row[1]), json.loads(row[2]))


def _condition(key: str, value: object) -> tuple[str, list[Any]]:
    """That a top-level key has a value: the term, and what is bound to it.

    :raises ValueError: for what no body holds.
    """
    demand_text("a key of where", key)
    term = "EXISTS (SELECT 1 FROM json_each(body) j WHERE j.key = ? AND j.type "
    if value is None:
        return f"{term}= 'null')", [key]
    demand_scalar(f"where {key!r}", value)
    if isinstance(value, bool):
        return f"{term}= ?)", [key, str(value).lower()]
    kinds = "('text')" if isinstance(value, str) else "('integer', 'real')"
    return f"{term}IN {kinds} AND j.atom = ?)", [key, value]
