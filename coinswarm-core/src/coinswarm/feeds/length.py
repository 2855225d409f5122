"""Bar lengths as people write them: ``30s``, ``5m``, ``1h``, ``1d``, ``1w``."""

from __future__ import annotations

import re

from coinswarm.clock import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from coinswarm.errors import DataError

UNITS = {"w": 7 * DAY_NS, "d": DAY_NS, "h": HOUR_NS, "m": MINUTE_NS, "s": SECOND_NS}
"""Longest first, so that a length is written in the largest unit that divides it."""


def parse_length(text: str) -> int:
    """Nanoseconds of a bar length such as ``1h``.

    :raises DataError: for anything but a positive whole number and one of ``s m h d w``.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhdw])", text.strip())
    if match is None:
        message = f"bar length {text!r} is not a whole number and one of s, m, h, d, w"
        raise DataError(message, remedy="write for example 1m, 5m, 1h or 1d")
    return int(match[1]) * UNITS[match[2]]


def format_length(ns: int) -> str:
    """``1h`` for 3,600,000,000,000; lengths below a second are written as ``250000000ns``."""
    for unit, size in UNITS.items():
        if ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{ns}ns"
