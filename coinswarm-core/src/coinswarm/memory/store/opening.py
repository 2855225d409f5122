"""Opening a store: where a cluster's log lies, who founded it, and what is beside it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from coinswarm.errors import DataError, NotReadyError, OperatorError, OutputError, UnknownNameError, nearest
from coinswarm.memory.quorum.records import NO_LEASE, START
from coinswarm.memory.quorum.roster import Roster, roster_from
from coinswarm.memory.store.engine import engine_of, place, translated
from coinswarm.memory.store.facts import Facts
from coinswarm.memory.store.line import Lines
from coinswarm.memory.store.log import SqlLog
from coinswarm.memory.store.rows import voter_rows
from coinswarm.memory.store.schema import check, is_blank, migrate
from coinswarm.memory.store.tables import HeadRow, LeaseRow, LogRow, RosterRow, VoterRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from coinswarm.memory.store.engine import Place


class Store:
    """One log's part of an open database.

    :ivar lines: to its database, for what must be quick; :ivar engine: for all else.
    :ivar log: the quorum's log.
    :ivar facts: what the session wrote.
    :ivar first: the roster of version 0.
    """

    def __init__(
        self,
        engine: Engine,
        where: Place,
        whose: tuple[str, str, int],
        first: Roster,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.engine, self.place, self.first = engine, where, first
        self.lines = Lines(engine)
        self.log = SqlLog(engine, where, self.lines, whose, clock)
        self.facts = Facts(engine, where, self.lines, self.log)

    def close(self) -> None:
        """Let go of all connections; what was written stays."""
        self.lines.close()
        self.engine.dispose()


def open_store(
    url: str,
    cluster: str,
    shard: str,
    *,
    roster: Roster | None = None,
    clock: Callable[[], int] | None = None,
) -> Store:
    """Open a cluster's log in a database, and found it where it is not there.

    A SQLite file is made, with its tables, if a roster is given, also where that was once cut short. PostgreSQL must
    have been migrated.

    :param url: of SQLite or PostgreSQL, or the path of a file.
    :param roster: of version 0, from the operator's configuration; None: it is taken from the store.
    :param clock: nanoseconds; by default the database's.
    :raises OperatorError: the store cannot be used as it is, with what to do about it.
    :raises UnreachableError: it does not answer.
    """
    where = place(url)
    if where.path is not None:
        if roster is None and not where.path.exists():
            message = f"there is no store {where.name}"
            raise NotReadyError(
                message, remedy="name the file of a swarm that has run: its first voter or coordinator makes it"
            )
        if not where.path.parent.is_dir():
            message = f"the folder of {where.name} does not exist"
            raise OutputError(message, remedy="make it, or name another place")
    engine = engine_of(where)
    try:
        if where.path is not None and roster is not None and is_blank(engine, where):
            migrate(engine, where)
        check(engine, where)
        number, first = _found(engine, where, cluster, shard, roster)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, where, (cluster, shard, number), first, clock)


@contextmanager
def opened(url: str, cluster: str = "", shard: str = "") -> Iterator[Store]:
    """A store that is there already, as a command reads it; closed again at the end.

    :param cluster, shard: may be left out where the store holds only one log that fits.
    :raises OperatorError: as ``open_store``; and where several fit, or none.
    """
    logs = [row for row in logs_in(url) if cluster in {"", row[0]} and shard in {"", row[1]}]
    if len(logs) != 1:
        known = sorted({f"{row[0]}/{row[1]}" for row in logs_in(url)})
        if not known:
            message = f"{place(url).name} holds no log yet"
            raise NotReadyError(message, remedy="a swarm founds it when it starts")
        if logs:
            message = f"{place(url).name} holds several logs"
            raise OperatorError(message, remedy=f"say --cluster and --shard: {', '.join(known)}")
        message = f"{place(url).name} holds no log of {cluster or '(any)'}/{shard or '(any)'}"
        raise UnknownNameError(message, remedy=nearest(f"{cluster}/{shard}", known))
    store = open_store(url, *logs[0])
    try:
        yield store
    finally:
        store.close()


def holds_nothing(url: str) -> bool:
    """Whether a store is a file that is not there, or in which no table was ever made.

    :raises OperatorError, UnreachableError: as ``open_store``.
    """
    where = place(url)
    if where.path is None:
        return False
    engine = engine_of(where)
    try:
        return is_blank(engine, where)
    finally:
        engine.dispose()


def logs_in(url: str) -> list[tuple[str, str]]:
    """The logs that a store holds, as cluster and shard.

    :raises OperatorError: as ``open_store``.
    """
    where = place(url)
    if where.path is not None and not where.path.exists():
        message = f"there is no store {where.name}"
        raise NotReadyError(
            message, remedy="name the file of a swarm that has run: its first voter or coordinator makes it"
        )
    engine = engine_of(where)
    try:
        check(engine, where)
        with translated(where), engine.connect() as connection:
            asked = select(LogRow.cluster, LogRow.shard).order_by(LogRow.cluster, LogRow.shard)
            return [(cluster, shard) for cluster, shard in connection.execute(asked)]
    finally:
        engine.dispose()


def migrated(url: str) -> tuple[str | None, str | None, str]:
    """Bring a store's tables to what this code knows, making them where there are none.

    :returns: the version before and after, and the store as messages call it.
    :raises OperatorError: as ``open_store``.
    """
    where = place(url)
    if where.path is not None and not where.path.parent.is_dir():
        message = f"the folder of {where.name} does not exist"
        raise OutputError(message, remedy="make it, or name another place")
    engine = engine_of(where)
    try:
        return *migrate(engine, where), where.name
    finally:
        engine.dispose()


def _begin(engine: Engine, cluster: str, shard: str, roster: Roster) -> None:
    """Write an empty log.

    :raises IntegrityError: it is there.
    """
    if roster.version != 0:
        message = f"the log {cluster}/{shard} would start with version {roster.version} of a roster"
        raise DataError(message, remedy="found it with version 0")
    with engine.execution_options(writes=True).begin() as connection:
        founded = insert(LogRow).values(cluster=cluster, shard=shard).returning(LogRow.id)
        number = connection.execute(founded).scalar_one()
        connection.execute(insert(RosterRow).values(log=number, version=0, position=0, body=roster.text()))
        connection.execute(insert(VoterRow), [{"log": number, **voter} for voter in voter_rows(roster)])
        lease = {name: getattr(NO_LEASE, name) for name in ("holder", "epoch", "since_ns", "expires_ns")}
        connection.execute(insert(LeaseRow).values(log=number, **lease))
        connection.execute(insert(HeadRow).values(log=number, position=0, hash=START.hash, at_ns=0))


def _found(engine: Engine, where: Place, cluster: str, shard: str, roster: Roster | None) -> tuple[int, Roster]:
    """The number of a log and its first roster; it is founded where it is not there and a roster is given.

    :raises DataError: for another roster than it was founded with.
    """
    asked = (
        select(LogRow.id, RosterRow.body)
        .join(RosterRow, (RosterRow.log == LogRow.id) & (RosterRow.version == 0))
        .where(LogRow.cluster == bindparam("cluster"), LogRow.shard == bindparam("shard"))
    )
    with translated(where), engine.connect() as connection:
        row = connection.execute(asked, {"cluster": cluster, "shard": shard}).first()
    if row is None and roster is not None:
        with translated(where), suppress(IntegrityError):  # somebody else founds it at this moment
            _begin(engine, cluster, shard, roster)
        with translated(where), engine.connect() as connection:
            row = connection.execute(asked, {"cluster": cluster, "shard": shard}).first()
    if row is None:
        message = f"{where.name} holds no log of {cluster}/{shard}"
        raise NotReadyError(message, remedy="give the roster that it starts with")
    if roster is not None and row.body != roster.text():
        message = f"the log {cluster}/{shard} in {where.name} was founded with another roster"
        raise DataError(message, remedy="change a roster by a proposal, or name another store or cluster")
    try:
        return row.id, roster_from(row.body)
    except ValueError as error:
        message = f"the first roster in {where.name} cannot be read ({error})"
        raise DataError(message, remedy="restore the store from a copy") from None
