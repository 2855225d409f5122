"""One SQLite file behind a coroutine: a connection, used by one thread at a time, durable when a call returns."""

from __future__ import annotations

import mmap
import os
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import to_thread

from coinswarm.domain.health import Condition, Health
from coinswarm.drivers.finishing import finished
from coinswarm.errors import DataError, NotReadyError, OutputError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coinswarm.drivers.settings import LocalFileSettings

T = TypeVar("T")

SIGN_BYTES, SIGN_NS = 8, 100_000_000
"""Of a sign, and for how long its word is taken: a program that does not change it is noticed after so long."""


class SqliteFile:
    """A file, or memory, with a schema.

    :param schema: statements that make what is missing.
    :param signed: whether ``is_version`` is asked often. A file of eight bytes beside it, mapped by every process, is
        then changed after each write: to look there takes a twentieth of the time that SQLite takes to say it.
    """

    def __init__(self, settings: LocalFileSettings, schema: str, *, signed: bool = False) -> None:
        self._settings, self._schema, self._signed = settings, schema, signed
        self._connection: sqlite3.Connection | None = None
        self._turn = anyio.Lock()
        self._sign: mmap.mmap | None = None
        self._seen, self._seen_ns = (0, b""), 0
        """A version, and the sign beside it, as they were found at some time."""

    @property
    def name(self) -> str:
        """How messages call it."""
        return str(self._settings.path) if self._settings.path is not None else "the store in memory"

    async def open(self) -> None:
        """Open it, and make what is missing.

        :raises OperatorError: for a file that cannot be opened, or is no such store.
        """

        def opened() -> None:
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
            if self._signed and self._settings.path is not None:
                self._sign = _mapped(self._settings.path)
                self._change_sign()  # whoever wrote last may not have come to it
            self._connection = connection

        try:
            await self._guarded(opened)
        except BaseException:  # cancelled while it was opened: nobody will close it
            await self.close()
            raise

    async def close(self) -> None:
        """Close it; what was written is on the disk already."""
        connection, self._connection = self._connection, None
        sign, self._sign = self._sign, None
        if sign is not None:
            sign.close()
        if connection is not None:
            await finished(partial(to_thread.run_sync, connection.close))

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
            self._change_sign()
            return result

        async with self._turn:
            return await self._guarded(transaction)

    async def version(self) -> int:
        """A number that is another one once another connection has written to the file; asked without a thread."""
        connection = self._opened()
        async with self._turn:
            return int(connection.execute("PRAGMA data_version").fetchone()[0])

    def is_version(self, version: int) -> bool:
        """Whether it is that version still: asked at once, and False where a thread has the connection.

        What is in memory is written to by nobody else.
        """
        if self._settings.path is None:
            return True
        seen, now_ns = (version, b"" if self._sign is None else self._sign[:]), time.monotonic_ns()
        if self._sign is not None and seen == self._seen and now_ns - self._seen_ns < SIGN_NS:
            return True
        if self._connection is None or self._turn.locked():
            return False
        if self._connection.execute("PRAGMA data_version").fetchone()[0] != version:
            return False
        self._seen, self._seen_ns = seen, now_ns
        return True

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
        """Run in a thread; SQLite's errors become ours. A cancelled call waits: its thread has the connection."""
        try:
            return await finished(partial(to_thread.run_sync, work))
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

    def _change_sign(self) -> None:
        """Let others see that there is something to ask for: by chance, so that two who write at once both show."""
        if self._sign is not None:
            self._sign[:] = os.urandom(SIGN_BYTES)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            message = f"{self.name} is not open"
            raise NotReadyError(message, remedy="use it inside `async with`")
        return self._connection


def _mapped(path: Path) -> mmap.mmap | None:
    """The sign of a file, made if need be; None where it cannot be: SQLite is asked each time then."""
    beside = path.with_name(f"{path.name}-sign")
    try:
        beside.touch()
        with beside.open("r+b") as file:
            if os.fstat(file.fileno()).st_size < SIGN_BYTES:
                file.truncate(SIGN_BYTES)
            return mmap.mmap(file.fileno(), SIGN_BYTES)
    except OSError:
        return None
