"""``column is one of these``, as one statement whatever their number, so that a database prepares it once.

Most questions are about one thing. PostgreSQL answers these sooner where it need not take a list apart: ``ByNumber``
has a second spelling of a statement for them.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from coinswarm.memory.store.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from sqlalchemy import ColumnElement, Executable
    from sqlalchemy.orm import InstrumentedAttribute

    from coinswarm.memory.store.line import Question

    Column = ColumnElement[Any] | InstrumentedAttribute[Any]
    Names = Callable[[Column, str], ColumnElement[Any]]
    """Whether a column's value is named by a parameter."""


class _Among(FunctionElement[Any]):
    """A column, and a JSON array of what it may be."""

    type = NullType()  # a truth value would be compared with 1 on SQLite, which then uses no index
    inherit_cache = True
    name = "among"


def among(column: Column, parameter: str) -> _Among:
    """Whether a column's value is in a parameter that ``listing`` makes."""
    return _Among(column, bindparam(parameter))


def _is(column: Column, parameter: str) -> ColumnElement[Any]:
    """Whether a column's value is a parameter's."""
    return column == bindparam(parameter)


def listing(values: Iterable[str | int]) -> str:
    """The parameter's value: sorted, each once."""
    return f"[{','.join([quoted(one) if isinstance(one, str) else str(one) for one in sorted(set(values))])}]"


class ByNumber:
    """A statement about what some lists of texts name, in two spellings: where each names one thing, and for any.

    :param made: makes it, when it is first needed, of what says that a column's value is named by a list.
    """

    def __init__(self, made: Callable[[Names], Executable]) -> None:
        self._one, self._any = Statement(lambda _kind: made(_is)), Statement(lambda _kind: made(among))

    def asked(self, lists: Mapping[str, Collection[str]], given: Mapping[str, Any]) -> Question:
        """The question.

        :param lists: parameter -> what it names, each once.
        :param given: the statement's other parameters.
        """
        if all(len(names) == 1 for names in lists.values()):
            return self._one, {**given, **{name: next(iter(names)) for name, names in lists.items()}}
        return self._any, {**given, **{name: listing(names) for name, names in lists.items()}}


@compiles(_Among, "sqlite")
def _in_sqlite(element: _Among, compiler: Any, **how: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    column, values = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - names and parameters, compiled


@compiles(_Among, "postgresql")
def _in_postgres(element: _Among, compiler: Any, **how: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    first, second = element.clauses
    column, values = compiler.process(first, **how), compiler.process(second, **how)
    kind = "::bigint" if isinstance(first.type, BigInteger) else ""
    return f"{column} = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST({values} AS jsonb)){kind}))"
