"""What stores keep and buses carry: points of series, documents, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Scalar: TypeAlias = "bool | int | float | str"
"""What a point's value may be; integers of 64 bits, finite floats."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a bus carries.

    :param subject: words of letters, digits, ``-`` and ``_``, joined by dots.
    :param data: at most ``coinswarm.ports.MAX_MESSAGE`` bytes.
    :param reply: subject at which an answer is waited for; empty where none is.
    """

    subject: str
    data: bytes = b""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a time series. ``(series, tags, time, key)`` is its identity.

    :param time: aware UTC, to the microsecond.
    :param values: at least one.
    :param tags: what the series is cut by, as in ``{"venue": "binance", "symbol": "BTC/USD"}``.
    :param key: tells points of the same moment apart, as a trade id does.
    """

    series: str
    time: datetime
    values: Mapping[str, Scalar]
    tags: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a collection. ``id`` is its identity there.

    :param time: what it is sorted by, aware UTC, to the microsecond.
    :param body: JSON: texts, booleans, integers of 64 bits, finite floats, None, lists and dicts of these.
    """

    id: str
    time: datetime
    body: Mapping[str, Any]
