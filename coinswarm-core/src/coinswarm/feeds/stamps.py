"""Time columns: epoch numbers in four units, or ISO 8601 dates, to nanoseconds UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.clock import MINUTE_NS, SECOND_NS, to_ns
from coinswarm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coinswarm.domain.market import Floats, Ints

_EARLIEST_S, _LATEST_S = 1_000_000_000, 7_000_000_000
"""2001 to 2191: far enough apart from each other in every unit that a magnitude names its unit."""

_LIMIT_NS = 1 << 63

UNITS = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}


def epoch_unit(stamp: float) -> str | None:
    """``s``, ``ms``, ``us`` or ``ns`` by magnitude; None for a number that is a time in no unit."""
    for unit, scale in UNITS.items():
        per_second = SECOND_NS // scale
        if _EARLIEST_S * per_second <= stamp < _LATEST_S * per_second:
            return unit
    return None


def epoch_to_ns(stamps: Ints | Floats, where: Callable[[int], str]) -> tuple[Ints, str]:
    """Nanoseconds of epoch numbers, and the unit that their magnitude gives.

    :param stamps: int64[n] or float64[n] (fractions are kept to the microsecond).
    :param where: names the place of a row in a message.
    :raises DataError: for a number that is no time, and where the unit changes within the file.
    """
    unit = epoch_unit(float(stamps[0]))
    if unit is None:
        message = f"{where(0)}: {stamps[0]} is not an epoch time in s, ms, us or ns"
        raise DataError(
            message, remedy="check the time column, or name the columns with coinswarm data import --columns"
        )
    scale = UNITS[unit]
    low, high = _EARLIEST_S * (SECOND_NS // scale), _LATEST_S * (SECOND_NS // scale)
    strange = np.flatnonzero(~((stamps >= low) & (stamps < high)))
    if len(strange):
        row = int(strange[0])
        message = f"{where(row)}: time {stamps[row]} is not in {unit} like the rows before it"
        raise DataError(message, remedy="bring the file to one unit")
    if stamps.dtype == np.int64:
        return np.asarray(stamps * np.int64(scale), np.int64), unit
    return np.rint(stamps * (scale / UNITS["us"])).astype(np.int64) * UNITS["us"], unit


def short_of_end(close_ns: int, length_ns: int) -> int:
    """How far before the end of its bar a close is stamped: Binance writes a bar's last millisecond, 00:59:59.999.

    :param close_ns: a close; all of a file lie on one grid.
    :param length_ns: length of its bars: whole minutes, else seconds; of others nothing is known, and 0 returned.
    :returns: one unit of time where the close is one before a whole minute (second); else 0.
    """
    whole = next((whole for whole in (MINUTE_NS, SECOND_NS) if length_ns % whole == 0), 0)
    short = -close_ns % whole if whole else 0
    return short if short < whole and short in UNITS.values() else 0


def iso_to_ns(texts: Iterable[str], where: Callable[[int], str]) -> Ints:
    """Nanoseconds of ISO 8601 dates; a date without a zone is UTC.

    :raises DataError: for the first text that is not such a date.
    """
    out: list[int] = []
    for row, text in enumerate(texts):
        try:
            moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
        except ValueError:
            message = f"{where(row)}: {text[:40]!r} is not an ISO 8601 date or an epoch time"
            raise DataError(message, remedy="write dates as 2018-01-31 23:00:00") from None
        stamp = to_ns(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        if not -_LIMIT_NS < stamp < _LIMIT_NS:
            message = f"{where(row)}: {text[:40]!r} is too far away to be counted in nanoseconds"
            raise DataError(message, remedy="write a year from 1678 to 2261, or remove the row")
        out.append(stamp)
    return np.array(out, np.int64)
