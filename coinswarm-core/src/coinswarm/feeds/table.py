"""A file's columns as they stand, before any judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.feeds.decimals import count_decimals

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.instrument import Instrument
    from coinswarm.domain.market import Floats, Ints
    from coinswarm.feeds.layout import Layout


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The six columns of a file.

    :param stamp_ns: int64[n], the file's times in nanoseconds since the epoch.
    :param prices: open, high, low, close, each float64[n].
    :param volume: float64[n], in whatever the file counts it.
    :param price_decimals: most decimals of a price, ``volume_decimals`` of a volume.
    :param layout: which column is what.
    :param unit: how times are written: ``s``, ``ms``, ``us``, ``ns``, or ``date``.
    :param where: names the place of a row, such as ``bars.csv, line 12``.
    :param symbol: the pair that the file itself names, or None.
    :param stored: what ``coinswarm data import`` settled about the file, or None.
    """

    stamp_ns: Ints
    prices: tuple[Floats, Floats, Floats, Floats]
    volume: Floats
    price_decimals: int
    volume_decimals: int
    layout: Layout
    unit: str
    where: Callable[[int], str]
    symbol: str | None = None
    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier import settled.

    :param instrument: pair, tick, lot, smallest notional, shortable.
    :param length_ns: bar length.
    :param tick_inferred: the tick came from the source's decimals; ``lot_inferred`` likewise.
    :param stamp: what the source's times were.
    :param volume_unit: what the source's volume counted.
    :param source: name of the file that was imported.
    """

    instrument: Instrument
    length_ns: int
    tick_inferred: bool
    lot_inferred: bool
    stamp: str
    volume_unit: str
    source: str


def most_decimals(*columns: Floats) -> int:
    """Decimals of the finite values of some columns."""
    return max(count_decimals(column[np.isfinite(column)]) for column in columns)
