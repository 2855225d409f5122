"""One SQLite file behind a coroutine: a connection, used by one thread at a time, durable when a call returns."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import to_thread

from coinswarm.domain.health import Condition, Health
from coinswarm.errors import DataError, NotReadyError, OutputError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.drivers.settings import LocalFileSettings

T = TypeVar("T")


class SqliteFile:
    """A file, or memory, with a schema.

    :param schema: statements that make what is missing.
    """

    def __init__(self, settings: LocalFileSettings, schema: str) -> None:
        self._settings, self._schema = settings, schema
        self._connection: sqlite3.Connection | None = None
        self._turn = anyio.Lock()

    @property
    def name(self) -> str:
        """How messages call it."""
        return str(self._settings.path) if self._settings.path is not None else "the store in memory"

    async def open(self) -> None:
        """Open it, and make what is missing.

        :raises OperatorError: for a file that cannot be opened, or is no such store.
        """

        def opened() -> sqlite3.Connection:
            connection = sqlite3.connect(
                self._settings.path or ":memory:",
                timeout=self._settings.busy_seconds,
                isolation_level=None,
                check_same_thread=False,  # one thread at a time, but not always the same one
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(self._schema)
            except BaseException:
                connection.close()
                raise
            return connection

        self._connection = await self._guarded(opened)

    async def close(self) -> None:
        """Close it; what was written is on the disk already."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await to_thread.run_sync(connection.close)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What a function makes of the connection, in a thread."""
        connection = self._opened()
        async with self._turn:
            return await self._guarded(lambda: work(connection))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same in one transaction, which is on the disk when this returns, or never was."""
        connection = self._opened()

        def transaction() -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
            return result

        async with self._turn:
            return await self._guarded(transaction)

    async def version(self) -> int:
        """A number that is another one once another connection has written to the file; asked without a thread."""
        connection = self._opened()
        if not self._turn.locked():  # no thread has it, nor can one take it before this returns
            return int(connection.execute("PRAGMA data_version").fetchone()[0])
        async with self._turn:
            return int(connection.execute("PRAGMA data_version").fetchone()[0])

    async def health(self) -> Health:
        """Whether it can be read."""
        if self._connection is None:
            return Health(Condition.DOWN, "it is not open")
        try:
            await self.read(lambda connection: connection.execute("SELECT 1 FROM sqlite_master").fetchone())
        except (UnreachableError, DataError, OutputError) as error:
            return Health(Condition.DOWN, str(error))
        return Health(Condition.GOOD)

    async def _guarded(self, work: Callable[[], T]) -> T:
        """Run in a thread; SQLite's errors become ours. A cancelled call waits for its thread."""
        try:
            return await to_thread.run_sync(work)
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                message = f"{self.name} is held by another process for more than {self._settings.busy_seconds:g} s"
                raise UnreachableError(message) from error
            message = f"{self.name} cannot be used ({error})"
            raise OutputError(message, remedy="see that its folder exists, can be written and has room") from error
        except sqlite3.DatabaseError as error:
            message = f"{self.name} is not a store of this kind ({error})"
            raise DataError(message, remedy="name another file, or restore it from a copy") from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            message = f"{self.name} is not open"
            raise NotReadyError(message, remedy="use it inside `async with`")
        return self._connection
