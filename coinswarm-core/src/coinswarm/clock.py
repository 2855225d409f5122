"""System and simulated time: the only module that reads the wall clock.

Times are integer nanoseconds since 1970-01-01 UTC; aware UTC datetimes at the edges.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(ns: int) -> datetime:
    """Aware UTC datetime of ``ns`` (nanoseconds since the epoch), to the microsecond."""
    return _EPOCH + timedelta(microseconds=ns // 1000)


def to_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch of an aware datetime.

    :raises ValueError: for a datetime without a time zone.
    """
    if moment.tzinfo is None:
        message = f"{moment!r} has no time zone"
        raise ValueError(message)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND_NS + delta.microseconds * 1000


def iso(ns: int) -> str:
    """``2018-01-31T23:00:00Z`` for ``ns`` nanoseconds since the epoch."""
    return to_datetime(ns).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock(ABC):
    """Where a session gets its time."""

    @abstractmethod
    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""


class SystemClock(Clock):
    """Wall time."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return time.time_ns()


class SimulatedClock(Clock):
    """Time that moves only when it is told to, never backwards."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now = start_ns

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return self._now

    def advance_to(self, ns: int) -> None:
        """Move to ``ns``.

        :raises ValueError: when ``ns`` lies before the present.
        """
        if ns < self._now:
            message = f"simulated time cannot go back from {iso(self._now)} to {iso(ns)}"
            raise ValueError(message)
        self._now = ns
