"""Funding payments from a file: when, and at what rate (S15)."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.errors import DataError
from coinswarm.feeds.files import read_bytes
from coinswarm.feeds.layout import OPEN_TIMES, plain_name
from coinswarm.feeds.stamps import UNITS, epoch_unit, iso_to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

_TIMES = (*OPEN_TIMES, "fundingtime", "funding_time", "calc_time", "fundingratetimestamp", "funding_timestamp")
_RATES = ("rate", "fundingrate", "funding_rate", "last_funding_rate", "lastfundingrate")
_BEGIN_NUMBERS = frozenset("0123456789+-.")
"""What begins a time or a rate, and no name of a column."""

_PPB = 10**9
_EXAMPLE = "write rows such as 2020-12-29T00:00:00Z,0.0001"


def load_funding(path: Path) -> tuple[Ints, Ints]:
    """Read payments: rows of time and rate, or a header that names the two columns; gzip by its bytes.

    :returns: times int64[m] in nanoseconds UTC, strictly ascending, and rates int64[m] in billionths
        of the notional (positive: longs pay).
    :raises DataError: naming the line, for what cannot be read or cannot be a rate.
    """
    rows = _rows(path)
    number, first = next(((line, row) for line, row in enumerate(rows, 1) if any(row)), (0, []))
    time, rate = 0, 1
    if first and not any(field[:1] in _BEGIN_NUMBERS for field in first if field):
        time, rate = _columns(first, f"{path.name} line {number}")
    elif first:
        number -= 1
        if len(first) > 2:  # noqa: PLR2004 - time and rate
            message = f"{path.name} has {len(first)} columns and no header"
            raise DataError(message, remedy="name them in a first line (time, rate), or leave those two alone")
    times: list[int] = []
    rates: list[int] = []
    for line, row in enumerate(rows[number:], number + 1):
        if not any(row):
            continue
        place = f"{path.name} line {line}"
        if len(row) <= max(time, rate) or (share := _number(row[rate])) is None:
            message = f"{place}: {','.join(row)[:80]!r} is not a time and a rate"
            raise DataError(message, remedy=_EXAMPLE)
        if not abs(share) < 1:
            message = (
                f"{place}: the rate {row[rate][:40]} is no share of a position's value, which lies between -1 and 1"
            )
            raise DataError(message, remedy="name the column of the rate 'rate' in a first line, or correct the row")
        when = _time(row[time], place)
        if times and when <= times[-1]:
            message = f"{place}: {row[time]} does not come after the line before"
            raise DataError(message, remedy="sort the payments by time, each once")
        times.append(when)
        rates.append(int((share * _PPB).to_integral_value()))
    if not times:
        message = f"{path.name} holds no funding payment"
        raise DataError(message, remedy=_EXAMPLE)
    return np.array(times, np.int64), np.array(rates, np.int64)


def _rows(path: Path) -> list[list[str]]:
    """The fields of every line.

    :raises DataError: where it is no text.
    """
    raw = read_bytes(path)
    try:
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
        return [[field.strip() for field in row] for row in csv.reader(io.StringIO(text))]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        message = f"{path.name} is not a text file ({error})"
        raise DataError(message, remedy="give a CSV file with time and rate") from None


def _columns(header: Sequence[str], place: str) -> tuple[int, int]:
    """Numbers of the columns of time and rate; two columns of other names stand in this order.

    :raises DataError: where the names do not tell them.
    """
    names = [plain_name(name) for name in header]
    times = [number for number, name in enumerate(names) if name in _TIMES]
    rates = [number for number, name in enumerate(names) if name in _RATES]
    if len(times) == len(rates) == 1:
        return times[0], rates[0]
    if len(header) == 2 and not (times == [1] or rates == [0]):  # noqa: PLR2004 - time and rate
        return 0, 1
    message = f"{place}: the header {','.join(header)[:80]!r} does not tell which column is the time and which the rate"
    raise DataError(message, remedy="call the one 'time' and the other 'rate'")


def _number(text: str) -> Decimal | None:
    """A finite number, or None."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _time(text: str, place: str) -> int:
    """Epoch of any unit, or a date, in nanoseconds; naive dates are UTC.

    :raises DataError: where it is neither.
    """
    if text.isdecimal() and len(text) < 20 and (unit := epoch_unit(int(text))) is not None:  # noqa: PLR2004 - of nanoseconds
        return int(text) * UNITS[unit]
    return int(iso_to_ns([text], lambda _row: place)[0])
