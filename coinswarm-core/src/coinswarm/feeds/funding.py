"""Funding payments from a file: when, and at what rate (S15)."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.errors import DataError
from coinswarm.feeds.files import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

_SCALES = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
"""Below this an epoch counts seconds, milli-, micro-, nanoseconds: nanoseconds per unit."""
_FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y%m%d %H:%M:%S", "%Y-%m-%d")


def load_funding(path: Path) -> tuple[Ints, Ints]:
    """Read ``time,rate`` rows, with or without a header; gzip by its bytes.

    :returns: times int64[m] in nanoseconds UTC, strictly ascending, and rates int64[m] in billionths
        of the notional (positive: longs pay).
    :raises DataError: naming the line, for what cannot be read.
    """
    raw = read_bytes(path)
    try:
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        message = f"{path.name} is not a text file ({error})"
        raise DataError(message, remedy="give a CSV file with time and rate") from None
    times: list[int] = []
    rates: list[int] = []
    for line, row in enumerate(csv.reader(io.StringIO(text)), 1):
        if not row or (line == 1 and not row[0][:1].isdigit()):
            continue
        try:
            when, rate = _time(row[0].strip()), int((Decimal(row[1].strip()) * 10**9).to_integral_value())
        except (IndexError, ValueError, InvalidOperation):
            message = f"{path.name} line {line}: {','.join(row)!r} is not a time and a rate"
            raise DataError(message, remedy="write rows such as 2020-12-29T00:00:00Z,0.0001") from None
        if times and when <= times[-1]:
            message = f"{path.name} line {line}: {row[0]} does not come after the line before"
            raise DataError(message, remedy="sort the payments by time, each once")
        times.append(when)
        rates.append(rate)
    if not times:
        message = f"{path.name} holds no funding payment"
        raise DataError(message, remedy="write rows such as 2020-12-29T00:00:00Z,0.0001")
    return np.array(times, np.int64), np.array(rates, np.int64)


def _time(text: str) -> int:
    """Epoch of any unit, or a date, in nanoseconds; naive dates are UTC."""
    if text.isdigit() and len(text) > 8:  # noqa: PLR2004 - eight digits are a date without dashes
        number = int(text)
        return next(number * scale for top, scale in _SCALES if number < top)
    for form in _FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return int(moment.timestamp()) * 10**9
    message = f"{text!r} is no time"
    raise ValueError(message)
