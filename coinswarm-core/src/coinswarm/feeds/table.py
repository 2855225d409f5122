"""Reading a file's columns as they stand, before any judgement: text, JSON rows, Parquet, Feather."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.errors import DataError
from coinswarm.feeds import layout as layouts
from coinswarm.feeds.decimals import MAX_DECIMALS, count_decimals
from coinswarm.feeds.stamps import epoch_to_ns, iso_to_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from coinswarm.domain.market import Floats, Ints
    from coinswarm.feeds.layout import Layout

_HEAD = 1_000
"""Rows whose text is looked at for trailing zeros: ``720.00`` has two decimals, its number none."""

_FIELDS = 6
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The six columns of a file.

    :param stamp_ns: int64[n], the file's times in nanoseconds since the epoch.
    :param prices: open, high, low, close, each float64[n].
    :param volume: float64[n], in whatever the file counts it.
    :param price_decimals: most decimals of a price, ``volume_decimals`` of a volume.
    :param layout: which column is what.
    :param unit: how times are written: ``s``, ``ms``, ``us``, ``ns``, or ``date``.
    :param symbol: the pair a column of the file names, or None.
    :param where: names the place of a row, such as ``line 12``.
    """

    stamp_ns: Ints
    prices: tuple[Floats, Floats, Floats, Floats]
    volume: Floats
    price_decimals: int
    volume_decimals: int
    layout: Layout
    unit: str
    symbol: str | None
    where: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller declared about the columns (see ``files.load_bars``)."""

    symbol: str | None
    volume: str
    stamp: str
    columns: Sequence[str] | None


def read_table(raw: bytes, name: str, wanted: Wanted) -> Table:
    """Read the bytes of a file.

    :param raw: the file as it stands on disk.
    :param name: what to call it in messages.
    :raises DataError: where it is not a table of bars.
    """
    if raw[:4] == b"PAR1" or raw[:6] in {b"ARROW1", b"FEA1"} or raw[:4] == b"FEA1":
        return _read_arrow(raw, name, wanted)
    text = _decode(_unpack(raw, name), name)
    if text.lstrip()[:1] in {"[", "{"}:
        text = _json_rows(text, name)
        return _read_text(text, name, wanted, what="row")
    return _read_text(text, name, wanted, what="line")


def _unpack(raw: bytes, name: str) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        message = f"{name} is damaged or cut short ({error})"
        raise DataError(message, remedy="fetch it again") from None


def _decode(raw: bytes, name: str) -> str:
    if not raw.strip():
        message = f"{name} is empty"
        raise DataError(message, remedy="give a file with bars")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        message = f"{name} is neither text nor Parquet or Feather"
        raise DataError(message, remedy="give CSV, CSV.gz, JSON rows, Parquet, Feather, or what `data import` wrote")
    return text


def _json_rows(text: str, name: str) -> str:
    """A JSON list of rows (freqtrade, exchange answers) as CSV; numbers keep their text."""
    try:
        rows = json.loads(text, parse_float=str, parse_int=str)
    except ValueError as error:
        message = f"{name} is not valid JSON ({error})"
        raise DataError(message, remedy="fetch it again") from None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        message = f"{name} is JSON, but not a list of rows"
        raise DataError(message, remedy="give [[time, open, high, low, close, volume], ...]")
    return "\n".join(",".join(str(value) for value in row) for row in rows)


def _read_text(text: str, name: str, wanted: Wanted, *, what: str) -> Table:
    """Find the columns in the first lines, then read all rows in one pass of numpy's C parser."""
    delimiter, before, header, first = _head(text, name, what)
    place = f"{name}, {what} {before + 1}"
    if wanted.columns is not None:
        layout = layouts.declared(wanted.columns, len(first), place)
    elif header is None:
        layout = layouts.by_count(len(first), place)
    else:
        pair = wanted.symbol or _pair(header, first)
        try:
            layout = layouts.by_names(header, symbol=pair, volume=wanted.volume, stamp=wanted.stamp)
        except DataError as error:
            message = f"{name}: {error.message}"
            raise DataError(message, remedy=error.remedy) from None
    skip = before + (header is not None)
    kind = _time_kind(first[layout.columns[0]].strip()) if layout.columns[0] < len(first) else "i8"
    dtype = np.dtype([("time", kind), *((role, "f8") for role in layouts.ROLES[1:])])
    scan = _Scan(text, name, what, skip, delimiter, layout)
    try:
        rows = np.loadtxt(
            (line for line in itertools.islice(io.StringIO(text), skip, None) if not line.isspace()),
            dtype=dtype,
            delimiter=delimiter,
            usecols=layout.columns,
            comments=None,
            quotechar='"',
            ndmin=1,
        )
    except ValueError as error:
        raise scan.explain(str(error)) from None
    where = scan.where
    if kind.startswith("S"):
        stamp_ns, unit = iso_to_ns((stamp.decode() for stamp in rows["time"].tolist()), where), "date"
    else:
        stamp_ns, unit = epoch_to_ns(np.ascontiguousarray(rows["time"]), where)
    prices, volume = (
        [np.ascontiguousarray(rows[role]) for role in layouts.ROLES[1:5]],
        np.ascontiguousarray(rows["volume"]),
    )
    head = list(itertools.islice(scan.rows(), _HEAD))
    return Table(
        stamp_ns=stamp_ns,
        prices=(prices[0], prices[1], prices[2], prices[3]),
        volume=volume,
        price_decimals=max(
            _numeric(*prices), _written(row[column] for _, row in head for column in layout.columns[1:5])
        ),
        volume_decimals=max(_numeric(volume), _written(row[layout.columns[5]] for _, row in head)),
        layout=layout,
        unit=unit,
        symbol=None if layout.symbol is None else head[0][1][layout.symbol].strip().upper(),
        where=where,
    )


def _head(text: str, name: str, what: str) -> tuple[str, int, list[str] | None, list[str]]:
    """Delimiter, lines before the table, header (None: there is none) and first row.

    Lines before the table are comments, or a note such as the one CryptoDataDownload begins with.
    """
    lines = list(itertools.islice(io.StringIO(text), 12))
    for before, line in enumerate(lines):
        if line.lstrip().startswith("#") and line.count(",") < _FIELDS - 1:
            continue
        delimiter = max(_DELIMITERS, key=line.count)
        fields = next(csv.reader([line], delimiter=delimiter), [])
        if len(fields) < _FIELDS:
            continue
        if sum(_is_number(field) for field in fields) >= _FIELDS - 1:
            return delimiter, before, None, fields
        first = next((row for row in csv.reader(lines[before + 1 :], delimiter=delimiter) if row), None)
        if first is None:
            message = f"{name} has a header but no rows"
            raise DataError(message, remedy="give a file with bars")
        fields[0] = fields[0].lstrip("# ")
        return delimiter, before, fields, first
    message = f"{name} is not a table of bars: no {what} among the first {len(lines)} has {_FIELDS} columns"
    raise DataError(message, remedy="give time, open, high, low, close, volume")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _pair(header: Sequence[str], first: Sequence[str]) -> str | None:
    """The pair in a column called symbol or pair."""
    for name, value in zip(header, first, strict=False):
        if name.strip().lower() in {"symbol", "pair"} and "/" in value:
            return value.strip().upper()
    return None


def _time_kind(text: str) -> str:
    if re.fullmatch(r"[+-]?\d+", text):
        return "i8"
    return "f8" if _is_number(text) else "S40"


def _numeric(*columns: Floats) -> int:
    """Decimals of the finite values of some columns."""
    return max(count_decimals(column[np.isfinite(column)]) for column in columns)


def _written(texts: Iterator[str]) -> int:
    """Most decimals written out, zeros included; text with more digits than a double keeps is left out."""
    most = 0
    for text in texts:
        match = re.fullmatch(r"\s*[+-]?(\d*)\.(\d*)\s*", text)
        if match and len((match[1] + match[2]).lstrip("0")) <= np.finfo(np.float64).precision:
            most = max(most, len(match[2]))
    return min(most, MAX_DECIMALS)


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """A slow second reading that knows line numbers: for messages, and for the first rows."""

    text: str
    name: str
    what: str
    skip: int
    delimiter: str
    layout: Layout

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not blank, with its line number (from 1)."""
        numbered = enumerate(itertools.islice(io.StringIO(self.text), self.skip, None), self.skip + 1)
        for number, line in numbered:
            if not line.isspace():
                yield number, next(csv.reader([line], delimiter=self.delimiter))

    def where(self, row: int) -> str:
        """``name, line 12`` for a row (from 0)."""
        lines = itertools.islice(io.StringIO(self.text), self.skip, None)
        numbers = (number for number, line in enumerate(lines, self.skip + 1) if not line.isspace())
        return f"{self.name}, {self.what} {next(itertools.islice(numbers, row, None))}"

    def explain(self, fallback: str) -> DataError:
        """What the first row that cannot be read has wrong."""
        need = max(self.layout.columns) + 1
        for number, row in self.rows():
            place = f"{self.name}, {self.what} {number}"
            if len(row) < need:
                return DataError(
                    f"{place}: {len(row)} columns, but {need} are needed", remedy="complete or remove the row"
                )
            for role, column in zip(layouts.ROLES, self.layout.columns, strict=True):
                value = row[column].strip()
                if role != "time" and not _is_number(value):
                    return DataError(
                        f"{place}: {role} is {value[:40]!r}, not a number", remedy="correct or remove the row"
                    )
                if role == "time" and not value:
                    return DataError(f"{place}: the time is missing", remedy="correct or remove the row")
        return DataError(f"{self.name} cannot be read ({fallback})", remedy="check that all rows have one format")


def _read_arrow(raw: bytes, name: str, wanted: Wanted) -> Table:
    """Parquet and Feather, through pyarrow."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra: 170 MB that only these formats need
        from pyarrow import (
            feather,
            parquet,
        )
    except ImportError:
        message = f"{name} is Parquet or Feather, which needs pyarrow"
        raise DataError(message, remedy="pip install 'coinswarm-core[parquet]'") from None
    try:
        source = pa.BufferReader(raw)
        table: Any = parquet.read_table(source) if raw[:4] == b"PAR1" else feather.read_table(source)
    except (pa.ArrowException, OSError) as error:
        message = f"{name} is damaged ({str(error).splitlines()[0][:80]})"
        raise DataError(message, remedy="fetch it again") from None
    if wanted.columns is not None:
        layout = layouts.declared(wanted.columns, table.num_columns, name)
    else:
        try:
            layout = layouts.by_names(
                table.column_names, symbol=wanted.symbol, volume=wanted.volume, stamp=wanted.stamp
            )
        except DataError as error:
            message = f"{name}: {error.message}"
            raise DataError(message, remedy=error.remedy) from None
    if table.num_rows == 0:
        message = f"{name} has columns but no rows"
        raise DataError(message, remedy="give a file with bars")

    def where(row: int) -> str:
        return f"{name}, row {row + 1}"

    columns: list[Floats] = []
    for role, number in zip(layouts.ROLES[1:], layout.columns[1:], strict=True):
        try:
            columns.append(np.ascontiguousarray(table.column(number).cast(pa.float64()).to_numpy()))
        except pa.ArrowException:
            message = f"{name}: column {table.column_names[number]!r} for {role} does not hold numbers"
            raise DataError(message, remedy="name the columns with --columns") from None
    stamps = table.column(layout.columns[0])
    if stamps.null_count:
        message = f"{name}: {stamps.null_count} times are missing"
        raise DataError(message, remedy="correct or remove the rows")
    if pa.types.is_timestamp(stamps.type) or pa.types.is_date(stamps.type):
        stamp_ns, unit = stamps.cast(pa.timestamp("ns")).cast(pa.int64()).to_numpy(), "date"
    elif pa.types.is_integer(stamps.type) or pa.types.is_floating(stamps.type):
        exact = pa.int64() if pa.types.is_integer(stamps.type) else pa.float64()
        stamp_ns, unit = epoch_to_ns(stamps.cast(exact).to_numpy(), where)
    else:
        stamp_ns, unit = iso_to_ns((str(stamp) for stamp in stamps.to_pylist()), where), "date"
    return Table(
        stamp_ns=np.ascontiguousarray(stamp_ns),
        prices=(columns[0], columns[1], columns[2], columns[3]),
        volume=columns[4],
        price_decimals=_numeric(*columns[:4]),
        volume_decimals=_numeric(columns[4]),
        layout=layout,
        unit=unit,
        symbol=None,
        where=where,
    )
