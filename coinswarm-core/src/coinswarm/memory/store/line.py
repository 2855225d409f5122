"""A line to the database: statements go together, their rows come back together, and little else costs anything.

A line is one connection out of SQLAlchemy's pool, used through the driver alone. What is not committed when it is given
back is undone.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from coinswarm.errors import AmbiguousError
from coinswarm.memory.store.engine import demand_texts, translated
from coinswarm.memory.store.statement import POSTGRES, SQLITE, Insertion, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine
    from sqlalchemy.pool import PoolProxiedConnection

    from coinswarm.memory.store.engine import Place

    Question = tuple[Statement | Insertion, Any]
    """A statement and its parameters by their names, or an insertion and its rows."""
    Row = tuple[Any, ...]
    Wrap = Callable[[Exception, bool], DBAPIError]
    """Makes an error of the driver one of SQLAlchemy's; with True: the connection is gone."""


_BEGINS = {
    SQLITE: ("BEGIN", "BEGIN IMMEDIATE"),
    # Whatever the server's default: what is read after a lock was waited for must be what its holder left.
    POSTGRES: ("", "BEGIN ISOLATION LEVEL READ COMMITTED"),
}
"""How a transaction begins for who only reads, and for who writes."""

_RESTING = 4
"""So many lines are kept; a pool has three times as many connections."""


def _nobody(_: str) -> None:
    """Is told."""


class CommitLostError(Exception):
    """Nobody knows whether a transaction was committed; its cause says why."""


AWAY = ("08", "57")
"""What PostgreSQL's states begin with that say that the server went away, and not how a commit ended."""


@contextmanager
def committed(where: Place) -> Iterator[None]:
    """What goes wrong in a transaction in our words; also that nobody knows.

    :raises AmbiguousError: the connection broke while it was being committed.
    :raises CoinswarmError: nothing was done.
    """
    try:
        with translated(where):
            yield
    except CommitLostError as error:
        message = f"{where.name} gave no answer to a commit"
        raise AmbiguousError(message, remedy="ask again, which is safe") from error


def commit(connection: Connection) -> None:
    """Commit what was begun over one of SQLAlchemy's connections.

    :raises DBAPIError: nothing was done.
    :raises CommitLostError: nobody knows.
    """
    try:
        connection.commit()
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            refused = _is_undone(error.orig)
        else:
            state = getattr(error.orig, "sqlstate", None) or AWAY[0]
            refused = not state.startswith(AWAY)
        if refused:
            raise
        raise CommitLostError from error


class Line(ABC):
    """Asks a database.

    :param held: the connection.
    :ivar broken: whether the connection can be used no more.
    """

    def __init__(self, held: PoolProxiedConnection, wrap: Wrap) -> None:
        self.held, self._wrap = held, wrap
        self._driver: Any = held.driver_connection
        self._begin = ""
        self._told: Callable[[str], object] = _nobody
        self.broken = False

    def begins(self, begin: str, told: Callable[[str], object]) -> None:
        """Get ready for another use.

        :param begin: how a transaction begins, before the first question; empty: none does, or one has.
        :param told: called with each statement before it is sent.
        """
        self._begin, self._told = begin, told

    @abstractmethod
    def ask(self, *questions: Question) -> list[list[Row]]:
        """Send statements at once; the rows that each brought, none for an insertion.

        :raises DBAPIError: for the first that was refused; those after it were not run.
        """

    @abstractmethod
    def commit(self, *questions: Question) -> None:
        """Send the last statements of a transaction, and commit it.

        :raises DBAPIError: nothing was done.
        :raises CommitLostError: nobody knows.
        """

    @abstractmethod
    def rests(self) -> bool:
        """Whether it can be used again as it is: nothing is left that was not committed."""


class Lines:
    """The lines of one store; may be used by several threads at once.

    A few that are not in use are kept, since the pool's own ways to lend a connection cost as much as a question.

    :ivar told: called with each statement before it is sent, so that tests can count them and break in.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._era = 0
        self._resting: deque[tuple[int, Line]] = deque()
        self._begins = _BEGINS[engine.dialect.name]
        self.told: Callable[[str], object] = _nobody

    def reading(self) -> AbstractContextManager[Line]:
        """A line for who only reads: each statement by itself on PostgreSQL, one moment on SQLite."""
        return self._lent(self._begins[0])

    def writing(self) -> AbstractContextManager[Line]:
        """A line for one transaction, which begins with the first question and ends with ``commit``."""
        return self._lent(self._begins[1])

    def over(self, connection: Connection) -> Line:
        """A line inside the transaction that a connection has begun."""
        line = self._made(connection.connection)
        line.begins("", self.told)
        return line

    def close(self) -> None:
        """Hang up the lines that are not in use."""
        while self._resting:
            self._resting.pop()[1].held.invalidate()  # the pool that they are of may be gone already

    @contextmanager
    def _lent(self, begin: str) -> Iterator[Line]:
        era = self._era
        line = self._rested() or self._made(self._held())
        line.begins(begin, self.told)
        try:
            yield line
        finally:
            if line.broken:
                line.held.invalidate()
                self._era += 1
            elif len(self._resting) < _RESTING and line.rests():
                self._resting.append((era, line))
            else:
                line.held.close()  # undoes what is left

    def _rested(self) -> Line | None:
        """A line that was used before."""
        try:
            while True:
                era, line = self._resting.pop()
                if era == self._era:
                    return line
                line.held.invalidate()
        except IndexError:
            return None

    def _held(self) -> PoolProxiedConnection:
        """A connection; none that is older than the last that broke, since what broke it has mostly broken all."""
        dialect: Any = self._engine.dialect
        try:
            held = self._engine.raw_connection()
            while held.info.setdefault("era", self._era) < self._era:
                held.invalidate()
                held = self._engine.raw_connection()
        except dialect.loaded_dbapi.Error as error:
            raise self._wrap(error, False) from error  # noqa: FBT003 - never there
        return held

    def _made(self, held: PoolProxiedConnection) -> Line:
        if self._engine.dialect.name == SQLITE:
            return SqliteLine(held, self._wrap)
        from coinswarm.memory.store.pipeline import PostgresLine  # noqa: PLC0415 - psycopg, for who uses it

        return PostgresLine(held, self._wrap)

    def _wrap(self, error: Exception, gone: bool) -> DBAPIError:  # noqa: FBT001 - says what it is
        dialect: Any = self._engine.dialect
        wrapped: Any = DBAPIError.instance(
            None, None, error, dialect.loaded_dbapi.Error, connection_invalidated=gone, dialect=dialect
        )
        assert isinstance(wrapped, DBAPIError), "the driver's own error"
        return wrapped


class SqliteLine(Line):
    """A line to a file: there is nobody to wait for."""

    def ask(self, *questions: Question) -> list[list[Row]]:
        """One after the other."""
        try:
            return [self._answer(*question) for question in questions]
        except sqlite3.Error as error:
            raise self._wrap(error, False) from error  # noqa: FBT003 - a file does not go

    def _answer(self, what: Statement | Insertion, given: Any) -> list[Row]:  # noqa: ANN401 - parameters, or rows
        if self._begin:
            self._told(self._begin)
            self._driver.execute(self._begin)
            self._begin = ""
        written = (what if isinstance(what, Statement) else what.one).written(SQLITE)
        self._told(written.text)
        if isinstance(what, Statement):
            values = written.values(given)
            demand_texts(values)
            rows: list[Row] = self._driver.execute(written.text, values).fetchall()
            return rows
        cells = [what.cells(row) for row in given]
        for row in cells:
            demand_texts(row)
        self._driver.executemany(written.text, cells)
        return []

    def commit(self, *questions: Question) -> None:
        """As ``Line.commit``."""
        self.ask(*questions)
        self._told("COMMIT")
        try:
            self._driver.commit()
        except sqlite3.Error as error:
            wrapped = self._wrap(error, False)  # noqa: FBT003 - as above
            if _is_undone(error):
                raise wrapped from error
            raise CommitLostError from wrapped

    def rests(self) -> bool:
        """As ``Line.rests``; who has read only is done with it."""
        try:
            if self._driver.in_transaction:
                self._driver.rollback()
        except sqlite3.Error:
            return False
        return True


def _is_undone(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNDONE


_UNDONE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT}
"""With these SQLite itself says that a commit did nothing."""
