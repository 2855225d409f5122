"""Tables in text: CSV in its many dialects, gzipped or not, and JSON rows."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.errors import DataError
from coinswarm.feeds import layout as layouts
from coinswarm.feeds.decimals import MAX_DECIMALS
from coinswarm.feeds.stamps import epoch_to_ns, iso_to_ns
from coinswarm.feeds.symbols import one_pair
from coinswarm.feeds.table import Table, most_decimals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coinswarm.feeds.layout import Layout, Wanted

_HEAD = 1_000
"""Rows whose text is looked at for trailing zeros: ``720.00`` has two decimals, its number none."""

_TOP = 12
"""Lines in which the table must begin; what stands before it are comments."""

_DELIMITERS = ",;\t|"


def read_text(raw: bytes, name: str, wanted: Wanted) -> Table:
    """Read CSV or JSON rows, gzipped or not.

    :param raw: the file as it stands on disk.
    :param name: what to call it in messages.
    :raises DataError: where it is not a table of bars.
    """
    data = _unpack(raw, name)
    _check_text(data, name)
    if data.lstrip()[:1] in {b"[", b"{"}:
        return _read_rows(wanted, _Lines(_json_rows(data, name), name, "row"))
    return _read_rows(wanted, _Lines(data, name, "line"))


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a file that are not blank, each with its number (from 1)."""

    data: bytes
    name: str
    what: str

    def text(self, skip: int = 0) -> Iterator[str]:
        """The lines after the first ``skip``, for the fast reader."""
        lines = io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8-sig")
        return (line for line in itertools.islice(lines, skip, None) if not line.isspace())

    def numbered(self, skip: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Line numbers and fields, for messages and for the first rows."""
        lines = io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8-sig")
        for number, line in enumerate(itertools.islice(lines, skip, None), skip + 1):
            if not line.isspace():
                yield number, next(csv.reader([line], delimiter=delimiter))

    def place(self, number: int) -> str:
        """``bars.csv, line 12``."""
        return f"{self.name}, {self.what} {number}"


@dataclass(frozen=True, slots=True)
class _Top:
    """How a table begins: delimiter, lines before its first row, header (None: none) and first row."""

    delimiter: str
    skip: int
    header: list[str] | None
    first: list[str]


def _unpack(raw: bytes, name: str) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        message = f"{name} is damaged or cut short ({error})"
        raise DataError(message, remedy="fetch it again") from None


def _check_text(data: bytes, name: str) -> None:
    """Refuse what is empty or no text.

    :raises DataError: with the formats that can be read.
    """
    if not data.strip():
        message = f"{name} is empty"
        raise DataError(message, remedy="give a file with bars")
    try:
        is_text = "\0" not in data.decode("utf-8-sig")
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        message = f"{name} is neither text nor any other format that can be read"
        raise DataError(message, remedy="give CSV, CSV.gz, JSON rows, Parquet or Feather")


def _json_rows(data: bytes, name: str) -> bytes:
    """A JSON list of rows (freqtrade, answers of exchanges) as CSV; numbers keep their text."""
    try:
        rows = json.loads(data, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        message = f"{name} is not valid JSON ({error})"
        raise DataError(message, remedy="fetch it again") from None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        message = f"{name} is JSON, but not a list of rows"
        raise DataError(message, remedy="give [[time, open, high, low, close, volume], ...]")
    text = io.StringIO()
    # A comma in a text is quoted, and parts no columns; a line end in one would part rows.
    csv.writer(text, lineterminator="\n").writerows(
        [" ".join(value.split()) if isinstance(value, str) and not value.isprintable() else value for value in row]
        for row in rows
    )
    return text.getvalue().encode()


def _read_rows(wanted: Wanted, lines: _Lines) -> Table:
    """Find the columns in the first lines, then read all rows in one pass of numpy's C parser."""
    top = _find_top(lines)
    layout = _find_layout(top, wanted, lines)
    kind = _time_kind(top.first[layout.columns[0]].strip())
    types = [("time", kind), *((role, "f8") for role in layouts.ROLES[1:])]
    use = layout.columns
    if layout.symbol is not None:
        types.append(("pair", "S32"))
        use = (*use, layout.symbol)
    try:
        rows = np.loadtxt(
            lines.text(top.skip),
            dtype=np.dtype(types),
            delimiter=top.delimiter,
            usecols=use,
            comments=None,
            quotechar='"' if b'"' in lines.data else None,
            ndmin=1,
        )
    except ValueError as error:
        raise _explain(lines, top, layout, str(error)) from None

    if b'"' in lines.data and sum(1 for _ in lines.text(top.skip)) != len(rows):
        raise _explain(lines, top, layout, "a text in quotes has a line end in it")
    if _is_ragged(lines, top, len(rows)):
        raise _explain(lines, top, layout, "rows differ in their number of columns")

    def where(row: int) -> str:
        number, _ = next(itertools.islice(lines.numbered(top.skip, top.delimiter), row, None))
        return lines.place(number)

    if kind.startswith("S"):
        stamp_ns, unit = iso_to_ns((stamp.decode("latin-1") for stamp in rows["time"].tolist()), where), "date"
    else:
        stamp_ns, unit = epoch_to_ns(np.ascontiguousarray(rows["time"]), where)
    opened, high, low, close, volume = (np.ascontiguousarray(rows[role]) for role in layouts.ROLES[1:])
    head = [row for _, row in itertools.islice(lines.numbered(top.skip, top.delimiter), _HEAD)]
    return Table(
        stamp_ns=stamp_ns,
        prices=(opened, high, low, close),
        volume=volume,
        price_decimals=max(
            most_decimals(opened, high, low, close),
            _written(row[column] for row in head for column in layout.columns[1:5]),
        ),
        volume_decimals=max(most_decimals(volume), _written(row[layout.columns[5]] for row in head)),
        layout=layout,
        unit=unit,
        where=where,
        symbol=None if layout.symbol is None else one_pair(_distinct(rows["pair"]), lines.name),
    )


def _find_top(lines: _Lines) -> _Top:
    """Find where the table begins: the first line with as many fields as bars have.

    What stands before it are comments, or a note such as the one CryptoDataDownload begins with.

    :raises DataError: where no line of the first few has enough fields, or no row follows the header.
    """
    fewest = len(layouts.ROLES)
    first_lines = list(itertools.islice(io.TextIOWrapper(io.BytesIO(lines.data), encoding="utf-8-sig"), _TOP))
    for before, line in enumerate(first_lines):
        delimiter = max(_DELIMITERS, key=line.count)
        fields = next(csv.reader([line], delimiter=delimiter), [])
        if len(fields) < fewest:
            continue
        if sum(_is_number(field) for field in fields) >= fewest - 1:
            return _Top(delimiter, before, None, fields)
        first = next(lines.numbered(before + 1, delimiter), None)
        if first is None:
            message = f"{lines.name} has a header but no rows"
            raise DataError(message, remedy="give a file with bars")
        return _Top(delimiter, before + 1, [fields[0].lstrip("# "), *fields[1:]], first[1])
    message = f"{lines.name} is not a table of bars: none of its first {lines.what}s has {fewest} columns"
    raise DataError(message, remedy="give time, open, high, low, close, volume")


def _find_layout(top: _Top, wanted: Wanted, lines: _Lines) -> Layout:
    """Columns by declaration, by header or by their number, and the first row checked against them."""
    place = lines.place(top.skip + 1)
    if wanted.columns is not None:
        layout = layouts.declared(wanted.columns, len(top.first), place)
    elif top.header is None:
        layout = layouts.by_count(len(top.first), place)
    else:
        layout = layouts.by_names(top.header, wanted, lines.name, pair=_pair(top))
    if max(layout.columns) >= len(top.first):
        raise _too_short(top.first, layout, place)
    return layout


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python reads 1_000 as a number, other tools do not


def _pair(top: _Top) -> str | None:
    """The pair in a column called symbol or pair, which tells ``Volume BTC`` from ``Volume USD``."""
    for name, value in zip(top.header or (), top.first, strict=False):
        if name.strip().lower() in layouts.PAIR_NAMES:
            return value.strip().upper()
    return None


def _distinct(pairs: Iterable[bytes]) -> list[str]:
    """What stands in a column of pairs."""
    return [pair.decode("latin-1") for pair in np.unique(np.asarray(pairs)).tolist()]


def _time_kind(text: str) -> str:
    """The dtype that reads a time column which begins with ``text``."""
    if re.fullmatch(r"[+-]?\d+", text):
        return "i8"
    return "f8" if _is_number(text) else "S40"


def _written(texts: Iterable[str]) -> int:
    """Most decimals written out, zeros included; text with more digits than a double keeps is left out."""
    most = 0
    for text in texts:
        match = re.fullmatch(r"\s*[+-]?(\d*)\.(\d*)\s*", text)
        if match and len((match[1] + match[2]).lstrip("0")) <= np.finfo(np.float64).precision:
            most = max(most, len(match[2]))
    return min(most, MAX_DECIMALS)


def _too_short(row: Sequence[str], layout: Layout, place: str) -> DataError:
    message = f"{place} has {len(row)} columns, but {max(layout.columns) + 1} are needed"
    return DataError(message, remedy="complete or remove the row")


def _is_ragged(lines: _Lines, top: _Top, count: int) -> bool:
    """Whether some row has more columns than the first, as ``1,000.5`` without quotes has.

    Counting delimiters is quick; only where their number does not add up are the rows looked at.
    """
    above = itertools.islice(io.TextIOWrapper(io.BytesIO(lines.data), encoding="utf-8-sig"), top.skip)
    expected = sum(line.count(top.delimiter) for line in above) + count * (len(top.first) - 1)
    if lines.data.count(top.delimiter.encode()) == expected:
        return False
    return any(len(row) != len(top.first) for _, row in lines.numbered(top.skip, top.delimiter))


def _explain(lines: _Lines, top: _Top, layout: Layout, fallback: str) -> DataError:
    """What is wrong with the first row that cannot be read."""
    remedy = "correct or remove the row"
    kind = _time_kind(top.first[layout.columns[0]].strip())
    for number, row in lines.numbered(top.skip, top.delimiter):
        place = lines.place(number)
        if len(row) <= max(layout.columns):
            return _too_short(row, layout, place)
        if len(row) != len(top.first):
            return DataError(f"{place} has {len(row)} columns, the first row {len(top.first)}", remedy=remedy)
        for role, column in zip(layouts.ROLES, layout.columns, strict=True):
            value = row[column].strip()
            if role == "time" and (not value or _time_kind(value) != kind):
                return DataError(f"{place}: time is {value[:40]!r}, not like the rows before it", remedy=remedy)
            if role != "time" and not _is_number(value):
                return DataError(f"{place}: {role} is {value[:40]!r}, not a number", remedy=remedy)
    return DataError(f"{lines.name} cannot be read ({fallback})", remedy="check that all rows have one format")
