"""Facts as they are written: by one at a time, all or none, each once, and nothing in the place of another."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, literal, select

from coinswarm.errors import DataError
from coinswarm.memory.store.among import among, listing
from coinswarm.memory.store.engine import IDLE_SECONDS, demand_texts
from coinswarm.memory.store.line import commit, committed
from coinswarm.memory.store.statement import NOW, POSTGRES
from coinswarm.memory.store.tables import LogRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import BindParameter, Connection, Engine

    from coinswarm.memory.store.engine import Place
    from coinswarm.memory.store.log import SqlLog

_LOG: BindParameter[int] = bindparam("log")
_ALONE = (
    select(
        NOW,
        func.set_config("idle_in_transaction_session_timeout", str(round(IDLE_SECONDS * 1000)), literal(value=True)),
    )
    .select_from(LogRow)
    .where(LogRow.id == _LOG)
    .with_for_update(key_share=True)
)
"""Locks, for who writes facts to PostgreSQL, and sees to it that nobody who stands still keeps the others waiting;
PostgreSQL's clock."""


class Writing:
    """A transaction that writes facts of one log: nobody else does until it is committed.

    :ivar connection: to write over; :ivar now_ns: what time it was by the store's clock when it began.
    """

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        self.connection, self._log = connection, log.number
        now_ns = 0
        if connection.dialect.name == POSTGRES:  # on SQLite who writes is alone
            now_ns = connection.execute(_ALONE, {"log": log.number}).scalar_one()
        self.now_ns = log.clock() if log.clock else now_ns

    def new(self, table: type[Any], key: str, rows: dict[Any, dict[str, Any]], **fixed: str) -> set[Any]:
        """The keys under which nothing lies yet; what lies under the others is as it is written.

        :raises DataError: where it is not.
        """
        if not rows:
            return set()
        for row in rows.values():
            demand_texts((*row.values(), *fixed.values()))
        names = list(next(iter(rows.values())))
        asked = select(*(getattr(table, name) for name in names)).where(
            table.log == _LOG,
            among(getattr(table, key), "keys"),
            *(getattr(table, name) == fixed[name] for name in fixed),
        )
        there = {}
        for found in self.connection.execute(asked, {"log": self._log, "keys": listing(rows)}).mappings():
            there[found[key]] = dict(found)
            if dict(found) != rows[found[key]]:
                other = next(name for name in names if found[name] != rows[found[key]][name])
                message = (
                    f"{table.__tablename__} {' '.join([*fixed.values(), str(found[key])])} is there already, "
                    f"with the {other} {found[other]!r} instead of {rows[found[key]][other]!r}"
                )
                raise DataError(message, remedy="facts are written once: see which of the two is right")
        return rows.keys() - there.keys()

    def insert(self, table: type[Any], rows: list[dict[str, Any]]) -> None:
        """Put rows in a table."""
        if rows:
            for row in rows:
                demand_texts(row.values())
            self.connection.execute(insert(table), [{"log": self._log, **row} for row in rows])


class Once:
    """Begins such transactions; may be used by several threads at once.

    :param engine, place: of the store; :param log: whose facts they are.
    """

    def __init__(self, engine: Engine, place: Place, log: SqlLog) -> None:
        self._place, self._log = place, log
        self._engine = engine.execution_options(writes=True)
        if engine.dialect.name == POSTGRES:  # whatever the server's default: see ``line``
            self._engine = self._engine.execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def begun(self) -> Iterator[Writing]:
        """A transaction, committed at the end.

        :raises AmbiguousError: the connection broke while it was being committed; to write the same again is safe.
        :raises CoinswarmError: nothing was done.
        """
        with committed(self._place), self._engine.connect() as connection:
            yield Writing(connection, self._log)
            commit(connection)
