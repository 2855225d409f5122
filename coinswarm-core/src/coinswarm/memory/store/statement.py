"""Statements that SQLAlchemy writes once for each kind of database, and that a ``Line`` sends without it.

To put one together anew, bind its parameters and wrap its rows costs SQLAlchemy more than the databases take to answer.
"""

from __future__ import annotations

from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Executable

SQLITE = "sqlite"
POSTGRES = "postgresql"

FEW = 4
"""So many rows go to PostgreSQL faster one by one than as arrays."""

NOW = cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger) * 1_000
"""PostgreSQL's clock, nanoseconds since the epoch."""

_DIALECTS: dict[str, Any] = {
    SQLITE: sqlite.dialect(),
    POSTGRES: psycopg.dialect(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call] # SQLAlchemy's
}
_NUMBERS = count()


class Written(NamedTuple):
    """A statement as one kind of database takes it.

    :param name: of the statement and kind, in this process.
    :param order: names of the parameters, by their places.
    :param fixed: values of parameters that the statement brings itself.
    """

    name: bytes
    text: str
    order: tuple[str, ...]
    fixed: dict[str, Any]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in their places."""
        known = {**self.fixed, **given} if self.fixed else given
        return [known[name] for name in self.order]


class Statement:
    """A statement, written when it is first needed.

    :param made: the statement, or what makes it for a kind of database.
    :param columns: of an insertion, those that it is given.
    """

    def __init__(self, made: Executable | Callable[[str], Executable], columns: Sequence[str] | None = None) -> None:
        self._made, self._columns = made, columns
        self._written: dict[str, Written] = {}

    def written(self, kind: str) -> Written:
        """As a kind of database takes it."""
        if kind not in self._written:
            made = self._made(kind) if callable(self._made) else self._made
            written: Any = made
            compiled = written.compile(dialect=_DIALECTS[kind], column_keys=self._columns)
            order = tuple(compiled.positiontup or ())
            fixed = (
                {} if self._columns else {name: value for name, value in compiled.params.items() if value is not None}
            )
            self._written[kind] = Written(b"coinswarm_%d" % next(_NUMBERS), compiled.string, order, fixed)
        return self._written[kind]


class Insertion:
    """Puts rows in a table: one by one, or on PostgreSQL as one array for each column, which it takes much faster.

    :param columns: those that each row has.
    :param replaces: whether a row takes the place of one under its primary key; no two rows of one call share theirs.
    :param keeps: columns that stay as they were then.
    """

    def __init__(
        self, table: type[Any], columns: Iterable[str] = (), *, replaces: bool = False, keeps: Sequence[str] = ()
    ) -> None:
        self._table = table.__table__
        self.columns = tuple(columns) or tuple(self._table.columns.keys())
        self._replaces, self._keeps = replaces, keeps
        self.one = Statement(self._one, self.columns)
        self.many = Statement(self._many)
        self.cells: Callable[[Mapping[str, Any]], tuple[Any, ...]] = itemgetter(*self.columns)

    def _one(self, kind: str) -> Executable:
        return self._replacing(_INSERTS[kind](self._table).inline())

    def _many(self, kind: str) -> Executable:
        names = self.columns
        arrays = [cast(bindparam(name), postgresql.ARRAY(self._table.columns[name].type)) for name in names]
        given = func.unnest(*arrays).table_valued(*names).render_derived(name="given")
        return self._replacing(_INSERTS[kind](self._table).from_select(names, select(*given.c)))

    def _replacing(self, made: Any) -> Executable:  # noqa: ANN401 - of either dialect
        if self._replaces:
            key = [column.name for column in self._table.primary_key.columns]
            left = [name for name in self.columns if name not in {*key, *self._keeps}]
            made = made.on_conflict_do_update(index_elements=key, set_={name: made.excluded[name] for name in left})
        statement: Executable = made
        return statement


_INSERTS: dict[str, Callable[[Any], Any]] = {SQLITE: sqlite.insert, POSTGRES: postgresql.insert}


def word(text: str) -> ColumnElement[str]:
    """A text as a statement spells it out, so that a database can plan with it."""
    assert "'" not in text, "one of our own words"
    return literal_column(f"'{text}'", Text())
