"""Where a store is, the engine that reaches it, and its errors in our words.

SQLite: write-ahead log, ``synchronous=FULL``, and writers that begin with ``BEGIN IMMEDIATE``, so that they wait at the
beginning and never fail half-way. PostgreSQL: the primary only, UTF-8 on both sides, row locks, and no lock waited for
longer than ``BUSY_SECONDS``.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionError

from coinswarm.errors import (
    CoinswarmError,
    DataError,
    InvariantError,
    NotReadyError,
    OperatorError,
    OutputError,
    UnknownNameError,
    UnreachableError,
    nearest,
)
from coinswarm.memory.store.statement import POSTGRES, SQLITE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Engine

BUSY_SECONDS = 5.0
"""How long to wait for whoever holds a lock, or for a server to answer a call."""

IDLE_SECONDS = 2.0
"""How long a transaction that writes to PostgreSQL may be left waiting by its process. One that is stopped would else
keep what it has locked, and with that everybody, for as long as its connection lives."""

MIGRATE = "coinswarm memory migrate --store"
"""What brings a store's tables to what this version knows; its URL follows."""


_SECRETS = (
    "password", "sslpassword", "passfile", "oauth_client_secret", "scram_client_key", "scram_server_key",
)  # fmt: skip
"""What is told to nobody of a URL's parameters."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is.

    :param url: for SQLAlchemy.
    """

    url: URL

    @property
    def name(self) -> str:
        """As messages call it; without a password."""
        if self.path is not None:
            return str(self.path)
        shown = self.url.set(drivername=POSTGRES).difference_update_query(_SECRETS)
        return shown.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The file, where it is one."""
        return Path(self.url.database or "") if self.url.get_backend_name() == SQLITE else None


def place(given: str) -> Place:
    """The place that a person names: a URL of SQLite or PostgreSQL, or the path of a file.

    :raises OperatorError: for what is neither.
    """
    text = given.strip()
    if "://" not in text:
        if not text:
            message = "no store is named"
            raise NotReadyError(message, remedy="give --store, as in --store swarm.db")
        return Place(URL.create(SQLITE, database=str(Path(text).expanduser())))
    scheme, _, rest = text.partition("://")
    kind = scheme.partition("+")[0].lower()
    if kind in {"postgres", POSTGRES}:
        text = f"{POSTGRES}+psycopg://{rest}"
    elif kind != SQLITE:
        message = f"a store cannot be at {scheme}://…"
        raise UnknownNameError(message, remedy=nearest(kind, [SQLITE, POSTGRES]))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # its own message repeats the whole, password and all
        message = f"the URL {scheme}://… of the store cannot be read"
        raise OperatorError(message, remedy="as in postgresql://USER@HOST:PORT/DATABASE, sqlite:///PATH") from None
    if "@" in (url.host or ""):  # the end of the password: it would be shown
        message = f"the URL {scheme}://… of the store has more than one @"
        raise OperatorError(message, remedy="write %40 for one that is part of the user or the password")
    if kind == SQLITE and url.database in {None, "", ":memory:"}:
        message = f"the store {given} names no file"
        raise OperatorError(message, remedy="as in sqlite:///swarm.db; a store in memory forgets")
    return Place(url)


def engine_of(where: Place) -> Engine:
    """An engine that reaches a store; nothing is connected yet.

    :raises NotReadyError: when PostgreSQL's client is not installed.
    """
    try:
        if where.path is not None:
            engine = create_engine(
                where.url.set(drivername="sqlite+pysqlite"),
                connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
                hide_parameters=True,
            )
            event.listen(engine, "connect", _sqlite_connected)
            event.listen(engine, "begin", _sqlite_begun)
            return engine
        given: dict[str, Any] = {
            "connect_timeout": max(2, round(BUSY_SECONDS)),
            "target_session_attrs": "read-write",  # the primary, of several hosts too
            # A server whose host is gone says nothing: without these a call would wait for it for hours.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            "prepare_threshold": None,  # a driver that prepares statements forgets those of others too (``pipeline``)
        }
        always = {
            "client_encoding": "utf8",  # what is signed are bytes, and they are sent as they are
            "options": _options(where.url),
        }
        engine = create_engine(
            where.url,
            connect_args={name: value for name, value in given.items() if name not in where.url.query} | always,
            hide_parameters=True,
        )
        from coinswarm.memory.store.silence import Heard  # noqa: PLC0415 - psycopg, for who uses it

        event.listen(engine, "do_connect", lambda _dialect, _record, args, given: Heard.made(args, given))
        event.listen(engine, "connect", partial(_postgres_connected, where), insert=True)  # before SQLAlchemy's own
        event.listen(engine, "checkin", _rests)
    except (ModuleNotFoundError, NoSuchModuleError):
        message = f"{where.name} takes psycopg, which is not installed"
        raise NotReadyError(message, remedy="pip install 'coinswarm-core[postgres]'") from None
    return engine


def _options(url: URL) -> str:
    """The settings of a session that a URL asks for, and the longest wait for a lock where it says nothing of that."""
    given = " ".join(url.normalized_query.get("options", ()))
    return given if _LOCK_TIMEOUT.search(given) else f"{given} -c lock_timeout={round(BUSY_SECONDS * 1000)}".strip()


_LOCK_TIMEOUT = re.compile("lock[-_]timeout", re.IGNORECASE)


def _sqlite_connected(connection: sqlite3.Connection, _record: object) -> None:
    """Set what a file forgets."""
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    [(found,)] = connection.execute(_OURS).fetchall()
    if found:  # what was restored from a copy may be in another mode
        connection.execute(_WRITE_AHEAD)


def write_ahead(connection: Connection) -> None:
    """Keep a file's log ahead of it from now on; before anything is begun.

    Not wherever one is connected to: a file that is read may be another program's.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute(_WRITE_AHEAD)


_WRITE_AHEAD = "PRAGMA journal_mode = WAL"
_OURS = "SELECT count(*) = 3 FROM sqlite_master WHERE name IN ('alembic_version', 'quorum_vote', 'head')"
"""Whether a file is a store."""


def _postgres_connected(where: Place, connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
    """Texts are kept as they are; a commit that is answered is on the disk, whatever the server's default.

    What the server promises beyond stays.

    :raises OperatorError: the database keeps texts in another encoding, which would not give back what was signed.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        message = f"{where.name} keeps texts in {encoding}, and the log takes UTF8"
        raise OperatorError(message, remedy="make another: createdb --encoding=UTF8 --template=template0 NAME")
    connection.autocommit = True
    try:
        [(level,)] = connection.execute("SHOW synchronous_commit").fetchall()
        if level == "off":
            connection.execute("SET synchronous_commit = on")
    except BaseException:
        connection.close()
        raise
    connection.autocommit = False


def _sqlite_begun(connection: Connection) -> None:
    """Begin: who will write takes the lock at once; who reads sees one moment."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


class NulTextError(ValueError):
    """A text with NUL in it, which PostgreSQL cannot hold, and a file therefore is not given either."""


def demand_texts(values: Iterable[object]) -> None:
    """Hold that texts can be kept in any store.

    :raises NulTextError: naming the first that cannot.
    """
    for value in values:
        if type(value) is str and "\0" in value:
            message = f"the text {value[:64]!r} contains NUL"
            raise NulTextError(message)


def unhurried(connection: Connection) -> None:
    """Let a server take its time for what it is asked from now on over a connection, as long as it works on it.

    :param connection: that has begun a transaction; it lasts until the connection is given back.
    """
    if connection.dialect.name == POSTGRES:
        driver: Any = connection.connection.driver_connection
        driver.working = connection.execute(select(func.pg_backend_pid())).scalar_one()


def _rests(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's; None where it is gone
    if connection is not None:
        connection.working = None


def translated(where: Place) -> AbstractContextManager[None]:
    """Turn a database's errors into ours; what was begun inside is undone."""
    return _Translated(where)


class _Translated(AbstractContextManager[None]):
    """By hand, since a generator costs a short question a tenth of its time."""

    __slots__ = ("_where",)

    def __init__(self, where: Place) -> None:
        self._where = where

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, DBAPIError):
            raise explained(self._where, error) from error
        if isinstance(error, sqlite3.Error):
            raise _sqlite_error(self._where, error) from error
        if isinstance(error, NoConnectionError):
            message = f"{self._where.name} has no connection free"
            raise UnreachableError(message) from error
        # the driver's, and ours, for what no column holds
        if isinstance(error, (OverflowError, UnicodeEncodeError, NulTextError)):
            message = f"{self._where.name} cannot hold a value ({_line(error)})"
            raise InvariantError(message) from error


def explained(where: Place, error: DBAPIError) -> CoinswarmError:
    """A database's error in our words."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _sqlite_error(where, cause)
    return _postgres_error(where, error, getattr(cause, "sqlstate", None) or "")


def _sqlite_error(where: Place, error: sqlite3.Error) -> CoinswarmError:  # noqa: PLR0911 - one per kind
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return UnreachableError(f"{where.name} is held by another process for more than {BUSY_SECONDS:g} s")
    if code == sqlite3.SQLITE_FULL:
        return OutputError(f"there is no space left to write {where.name}", remedy="free some space")
    if code == sqlite3.SQLITE_READONLY:
        return OutputError(f"{where.name} cannot be written", remedy="give this user the right to")
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return DataError(f"{where.name} is no SQLite file, or damaged ({error})", remedy="restore it from a copy")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        remedy = "see that its folder exists, can be written and has room"
        return OutputError(f"{where.name} cannot be used ({error})", remedy=remedy)
    if "no such table" in str(error) or "no such column" in str(error):
        return NotReadyError(f"{where.name} lacks what this version needs ({error})", remedy=f"{MIGRATE} {where.name}")
    return InvariantError(f"{where.name} refused a statement ({_line(error)})")


_SETTING = "?"
"""Stands for a state: a setting is wrong, and no waiting makes it good."""

_SILENCE = "!"
"""Likewise: it was asked, and says nothing."""

_POSTGRES: tuple[tuple[str, type[CoinswarmError], str, str], ...] = (
    # sqlstate, or what it begins with; error; what is wrong; remedy
    ("28", OperatorError, "does not let us in", "check the user and the password in its URL"),
    ("3D", NotReadyError, "has no such database", "make it: createdb NAME"),
    ("42P01", NotReadyError, "lacks a table that this version needs", f"{MIGRATE} URL"),
    ("42703", NotReadyError, "lacks a column that this version needs", f"{MIGRATE} URL"),
    ("42501", OperatorError, "does not allow it", "give the user its rights on the tables"),
    ("3F", OperatorError, "does not allow it", "give the user a schema to write in"),
    ("26", UnreachableError, "forgot a statement that was prepared: something between us and it changes sessions", ""),
    ("0A000", UnreachableError, "has other tables than a moment ago", ""),
    ("25P03", UnreachableError, "did not wait for the rest of a transaction", ""),
    ("25P04", UnreachableError, "ended a transaction that took longer than it allows", ""),
    ("25006", UnreachableError, "is a replica, or read-only: the log is on the primary", ""),
    ("53100", OutputError, "has no space left", "free some space on the server"),
    ("53", UnreachableError, "has no room for another connection, or no memory", ""),
    ("55P03", UnreachableError, f"is locked by another session for more than {BUSY_SECONDS:g} s", ""),
    ("40", UnreachableError, "undid it for the sake of another transaction", ""),
    ("57", UnreachableError, "is going down, or was told to stop", ""),
    (_SILENCE, UnreachableError, "does not answer",
     "see whether it works and what lies between, then ask again"),
    ("08", UnreachableError, "cannot be reached", ""),
    (_SETTING, OperatorError, "cannot be reached as it is asked to be",
     "see what its address sets behind the ?, and the environment (PG…)"),
)  # fmt: skip


_BEFORE = (
    # what stands there where the server says nothing itself, and so no code; the state that it amounts to
    ("it said nothing for", _SILENCE),
    ("authentication failed|no password|no pg_hba|role .* does not exist", "28"),
    ('database ".*" does not exist', "3D"),
    ("session is (not )?read-only|read-only", "25006"),
    ("invalid [^ ]+ value|invalid port number|invalid integer value|invalid value for parameter", _SETTING),
    ("unrecognized configuration parameter|invalid command-line argument", _SETTING),
    ('(certificate|key) file ".*" does not exist', _SETTING),
)


def _postgres_error(where: Place, error: DBAPIError, state: str) -> CoinswarmError:
    detail = _line(error.orig)
    state = state or _guessed(error, detail)
    for begins, kind, what, remedy in _POSTGRES:
        if state.startswith(begins):
            return kind(f"{where.name} {what} ({detail})", remedy=remedy.replace("URL", f"'{where.name}'"))
    return InvariantError(f"{where.name} refused a statement ({f'{state}: ' if state else ''}{detail})")


def _guessed(error: DBAPIError, detail: str) -> str:
    """The state that an error without one amounts to; empty where the driver refused what it was to send."""
    for words, state in _BEFORE:
        if re.search(words, detail):
            return state
    if isinstance(error, ProgrammingError) and error.statement is None:
        return _SETTING
    return "08" if isinstance(error, (OperationalError, InterfaceError)) else ""


def _line(error: object) -> str:
    """The first lines of a driver's message as one."""
    return " ".join(str(error).split())[:300]
