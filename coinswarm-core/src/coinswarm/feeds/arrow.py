"""Parquet and Feather, through pyarrow: an extra of 170 MB that only these formats need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.errors import DataError
from coinswarm.feeds import layout as layouts
from coinswarm.feeds.stamps import epoch_to_ns, iso_to_ns
from coinswarm.feeds.symbols import one_pair
from coinswarm.feeds.table import Table, most_decimals

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.market import Floats, Ints
    from coinswarm.feeds.layout import Wanted

PARQUET = b"PAR1"
FEATHER = (b"ARROW1", b"FEA1")
"""First bytes of a file, which name its format more reliably than its ending."""


def is_arrow(raw: bytes) -> bool:
    """True for the bytes of a Parquet or Feather file."""
    return raw.startswith((PARQUET, *FEATHER))


def read_arrow(raw: bytes, name: str, wanted: Wanted) -> Table:
    """Read Parquet or Feather.

    :param raw: the file as it stands on disk.
    :param name: what to call it in messages.
    :raises DataError: where pyarrow is not installed, or the file is not a table of bars.
    """
    table = _open(raw, name)
    if wanted.columns is not None:
        layout = layouts.declared(wanted.columns, table.num_columns, name)
    else:
        layout = layouts.by_names(table.column_names, wanted, name, pair=_pair(table))
    if table.num_rows == 0:
        message = f"{name} has columns but no rows"
        raise DataError(message, remedy="give a file with bars")

    def where(row: int) -> str:
        return f"{name}, row {row + 1}"

    opened, high, low, close, volume = (
        _numbers(table.column(number), f"{name}: column {table.column_names[number]!r}")
        for number in layout.columns[1:]
    )
    stamp_ns, unit = _times(table.column(layout.columns[0]), name, where)
    return Table(
        stamp_ns=stamp_ns,
        prices=(opened, high, low, close),
        volume=volume,
        price_decimals=most_decimals(opened, high, low, close),
        volume_decimals=most_decimals(volume),
        layout=layout,
        unit=unit,
        where=where,
        symbol=None if layout.symbol is None else one_pair(_distinct(table.column(layout.symbol)), name),
    )


def _open(raw: bytes, name: str) -> Any:  # noqa: ANN401 - pyarrow ships no types
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import feather, parquet  # noqa: PLC0415
    except ImportError:
        message = f"{name} is Parquet or Feather, which needs pyarrow"
        raise DataError(message, remedy="pip install 'coinswarm-core[parquet]'") from None
    try:
        source = pa.BufferReader(raw)
        table = parquet.read_table(source) if raw.startswith(PARQUET) else feather.read_table(source)
        _ = table.column_names  # read now, damaged or not
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        message = f"{name} is damaged or cut short ({str(error).splitlines()[0][:80]})"
        raise DataError(message, remedy="fetch it again") from None
    return table


def _pair(table: Any) -> str | None:  # noqa: ANN401
    """What a column called symbol or pair begins with."""
    for column, title in enumerate(table.column_names):
        if layouts.plain_name(title) in layouts.PAIR_NAMES and table.num_rows:
            return str(table.column(column)[0].as_py() or "").strip().upper()
    return None


def _distinct(column: Any) -> list[str]:  # noqa: ANN401
    """What stands in a column of pairs."""
    return [str(pair or "") for pair in column.unique().to_pylist()]


def _numbers(column: Any, place: str) -> Floats:  # noqa: ANN401
    """A column as float64; a missing value is NaN, which the judgement of rows finds.

    Of single precision it is the number that text would have: 100.1, and not 100.0999984741211 with 13 decimals.
    """
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        return column.to_numpy().astype(np.str_).astype(np.float64)  # type: ignore[no-any-return]
    try:
        return np.ascontiguousarray(column.cast(pa.float64()).to_numpy())
    except pa.ArrowException:
        message = f"{place} does not hold numbers"
        raise DataError(message, remedy="name the columns with coinswarm data import --columns") from None


def _times(column: Any, name: str, where: Callable[[int], str]) -> tuple[Ints, str]:  # noqa: ANN401
    """A time column in nanoseconds, and how it was written."""
    import pyarrow as pa  # noqa: PLC0415

    if column.null_count:
        message = f"{name}: {column.null_count} times are missing"
        raise DataError(message, remedy="correct or remove the rows")
    try:
        return _stamps(column, where)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        message = f"{name}: its times cannot be read ({str(error).splitlines()[0][:80]})"
        raise DataError(message, remedy="write years from 1678 to 2261, as times or as text") from None


def _stamps(column: Any, where: Callable[[int], str]) -> tuple[Ints, str]:  # noqa: ANN401
    """Times of whatever kind of column; pyarrow raises where nanoseconds cannot count them."""
    import pyarrow as pa  # noqa: PLC0415

    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        # With a zone it is kept as UTC, without one it is UTC by our rule: the number is the same.
        zone = getattr(kind, "tz", None)
        return np.ascontiguousarray(column.cast(pa.timestamp("ns", zone)).cast(pa.int64()).to_numpy()), "date"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        exact = pa.int64() if pa.types.is_integer(kind) else pa.float64()
        return epoch_to_ns(np.ascontiguousarray(column.cast(exact).to_numpy()), where)
    return iso_to_ns(map(str, column.to_pylist()), where), "date"
