"""``column is one of these``, as one statement whatever their number, so that a database prepares it once."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute


class _Among(FunctionElement[Any]):
    """A column, and a JSON array of what it may be."""

    type = NullType()  # a truth value would be compared with 1 on SQLite, which then uses no index
    inherit_cache = True
    name = "among"


def among(column: ColumnElement[Any] | InstrumentedAttribute[Any], parameter: str) -> _Among:
    """Whether a column's value is in a parameter that ``listing`` makes."""
    return _Among(column, bindparam(parameter))


def listing(values: Iterable[str | int]) -> str:
    """The parameter's value: sorted, each once."""
    return f"[{','.join([quoted(one) if isinstance(one, str) else str(one) for one in sorted(set(values))])}]"


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
