"""What a voter or a submitter must not forget: what it is about to send, and how far it has seen the log go.

One SQLite file, in WAL mode with ``synchronous = FULL``: what ``write`` returned for survives a crash of the machine;
what was half written is not there. A whole batch costs one fsync. A file beside it is locked, so that no two processes
ever vote as one; the lock dies with its process.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

from coinswarm.errors import DataError, NotReadyError, OutputError
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.messages import Keep, Propose, Vote
from coinswarm.memory.quorum.records import START, Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import IO, Self

    from coinswarm.memory.quorum.messages import Remember
    from coinswarm.memory.quorum.records import Envelope, SealVote

_SCHEMA = """
CREATE TABLE IF NOT EXISTS whose (name TEXT NOT NULL, cluster TEXT NOT NULL, shard TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kept (kind TEXT, key TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (place INTEGER PRIMARY KEY CHECK (place = 1), at INTEGER NOT NULL, hash TEXT NOT NULL);
"""

_LOST = (
    "do not start it with an empty file: it could sign a second ballot on one proposal. Restore the file as it was "
    "when the process stopped, or give the seat a new key by a change of the roster"
)


class Disk:
    """The disk of one voter, coordinator or submitter of one log.

    :param path: the file; made when it is missing.
    :param name, cluster, shard: whose it is.
    """

    def __init__(self, path: Path, name: str, cluster: str, shard: str) -> None:
        self.path = path
        self.fresh = False
        """Whether nobody has taken part in a log with it yet: it keeps how far that was seen, if only to the start."""
        self._whose = (name, cluster, shard)
        self._connection: sqlite3.Connection | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Lock it, open it, and check that it is whole.

        :raises NotReadyError: when another process holds it.
        :raises DataError: when it is damaged, or somebody else's.
        :raises OutputError: when it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
        except OSError as error:
            message = f"the disk of {self._whose[0]}, {self.path}, cannot be used ({error.strerror})"
            raise OutputError(message, remedy="name a folder that exists and is yours") from error
        try:
            self._connection = self._opened()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, and let go of the lock."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.close()

    @property
    def seen(self) -> Head:
        """The highest head that was kept."""
        found = self._open().execute("SELECT at, hash FROM seen").fetchone()
        return Head(*found) if found else START

    def votes(self) -> list[Vote]:
        """Every vote that is kept."""
        return [vote for vote in self._all("vote") if isinstance(vote, Vote)]

    def proposals(self) -> list[Envelope]:
        """Every proposal that is kept."""
        return [message.envelope for message in self._all("proposal") if isinstance(message, Propose)]

    def write(self, jobs: Sequence[Keep | Remember], done: Iterable[str] = ()) -> list[Propose | Vote | SealVote]:
        """Make a batch durable, all or nothing.

        :param done: proposals that the log has decided below the heads in ``jobs``: what is kept about them goes.
        :returns: for each ``Keep`` in turn what lies on the disk now: its message, or what lay there before.
        :raises OutputError: when it could not be written: nothing of it was.
        """
        connection = self._open()
        kept: list[Propose | Vote | SealVote] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                if isinstance(job, Keep):
                    kept.append(_keep(connection, job.message))
                connection.execute(
                    "INSERT INTO seen VALUES (1, ?, ?) ON CONFLICT (place) DO UPDATE "
                    "SET at = excluded.at, hash = excluded.hash WHERE excluded.at > at",
                    (job.seen.index, job.seen.hash),
                )
            connection.executemany(
                "DELETE FROM kept WHERE kind IN ('vote', 'proposal') AND key = ?", [(proposal,) for proposal in done]
            )
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.rollback()
            message = f"the disk of {self._whose[0]}, {self.path}, cannot be written ({error})"
            raise OutputError(message, remedy="see that it has room; it is tried again") from error
        return kept

    def _all(self, kind: str) -> list[object]:
        try:
            rows = self._open().execute("SELECT body FROM kept WHERE kind = ? ORDER BY key", (kind,)).fetchall()
            return [wire.message_from(body) for (body,) in rows]
        except (sqlite3.DatabaseError, wire.MalformedError) as error:
            raise self._damaged(str(error)) from error

    def _opened(self) -> sqlite3.Connection:
        with ExitStack() as undo:
            try:
                connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                undo.callback(connection.close)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                self._check(connection)
            except sqlite3.OperationalError as error:
                message = f"the disk of {self._whose[0]}, {self.path}, cannot be opened ({error})"
                raise OutputError(message, remedy="see that its folder can be written and has room") from error
            except sqlite3.DatabaseError as error:
                raise self._damaged(str(error)) from error
            self.fresh = connection.execute("SELECT 1 FROM seen").fetchone() is None
            undo.pop_all()
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        """See that it is whole, and ours."""
        [(sound,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
        if sound != "ok":
            raise self._damaged(sound)
        connection.executescript(_SCHEMA)
        found = connection.execute("SELECT name, cluster, shard FROM whose").fetchall()
        if not found:
            connection.execute("INSERT INTO whose VALUES (?, ?, ?)", self._whose)
        elif found != [self._whose]:
            other, ours = "/".join(found[0]), "/".join(self._whose)
            message = f"{self.path} is the disk of {other}, not of {ours}"
            raise DataError(message, remedy="give each its own folder")

    def _damaged(self, why: str) -> DataError:
        return DataError(f"the disk of {self._whose[0]}, {self.path}, is damaged ({why})", remedy=_LOST)

    def _locked(self) -> IO[str]:
        """The locked file beside it, with our process id for whoever is refused."""
        handle = self.path.with_name(f"{self.path.name}.lock").open("a+", encoding="ascii")
        try:
            import fcntl  # noqa: PLC0415 - not on every system
        except ImportError:  # pragma: no cover - not on this system
            return handle
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip()
            handle.close()
            message = f"{self._whose[0]} runs already, in process {holder or 'unknown'}: it holds {self.path}"
            raise NotReadyError(message, remedy="stop that one first: two processes must never act as one") from None
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        return handle

    def _open(self) -> sqlite3.Connection:
        assert self._connection is not None, "used inside `with` only"
        return self._connection


def seen_in(folder: Path) -> int:
    """How far the parts whose disks lie in a folder have seen a log go; 0 where none has seen any.

    Nothing is locked, nor is a disk that cannot be read any trouble here: it is whoever opens it.
    """
    most = 0
    for path in folder.glob("*.sqlite"):
        address = f"{path.absolute().as_uri()}?mode=ro"
        with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as disk:
            found = disk.execute("SELECT at FROM seen").fetchone()
            most = max(most, found[0] if found else 0)
    return most


def _keep(connection: sqlite3.Connection, message: Propose | Vote | SealVote) -> Propose | Vote | SealVote:
    """Put a message under its key, unless something lies there; what lies there then."""
    if isinstance(message, Vote):
        kind, key = "vote", message.ballot.proposal
    elif isinstance(message, Propose):
        kind, key = "proposal", message.envelope.id
    else:
        kind, key = "seal", f"{message.head.index}"
    body = wire.message_bytes(message)
    made = connection.execute("INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (kind, key, body))
    if made.rowcount:
        return message
    [(lies,)] = connection.execute("SELECT body FROM kept WHERE kind = ? AND key = ?", (kind, key)).fetchall()
    if lies == body:
        return message
    found = wire.message_from(lies)
    assert isinstance(found, (Propose, Vote)) or kind == "seal", "nothing else is kept"
    return found  # type: ignore[return-value] # a notice is never kept
