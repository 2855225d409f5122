"""Bars as they were read from a file, with the report on what it held and what had to be inferred."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file held, and what had to be inferred.

    :param rows: bars read.
    :param missing: bars absent between the first and the last (nothing is filled).
    :param gaps: stretches of missing bars.
    :param longest_gap_ns: longest time from the open of one bar to the open of the next where bars are
        missing between them, so two bars an hour apart on a 1m grid are a gap of 1h (59 missing); 0: no gap.
    :param zero_volume: bars in which nothing traded.
    :param first_ns: open time of the first bar; ``last_ns`` of the last.
    :param bar_ns: bar length.
    :param layout: which columns were taken for what.
    :param unit: how times are written: ``s``, ``ms``, ``us``, ``ns``, ``date``.
    :param stamp: what the file's times are: ``open`` or ``close`` (then moved back by one bar).
    :param volume_unit: what the file's volume counts: ``base`` or ``quote`` (then divided by the close).
    :param newest_first: the file ran backwards and was turned round.
    :param symbol_guessed: the symbol comes from the file's name.
    :param named: the pair that the file or its name tells, where that is another than the one asked for; else empty.
    :param bar_inferred: the bar length is the most common step.
    :param tick_inferred: the tick comes from the file's decimals; ``lot_inferred`` likewise.
    :param price_decimals: most decimals of a price; ``volume_decimals`` of a volume.
    :param off_tick: prices that are no whole number of ticks (core rounds them half to even).
    :param sha256: of the file's bytes, in hex.
    """

    rows: int
    missing: int
    gaps: int
    longest_gap_ns: int
    zero_volume: int
    first_ns: int
    last_ns: int
    bar_ns: int
    layout: str
    unit: str
    stamp: str
    volume_unit: str
    newest_first: bool
    symbol_guessed: bool
    named: str
    bar_inferred: bool
    tick_inferred: bool
    lot_inferred: bool
    price_decimals: int
    volume_decimals: int
    off_tick: int
    sha256: str

    @property
    def missing_share(self) -> float:
        """Missing bars as a fraction of those that a file without gaps would have."""
        return self.missing / (self.rows + self.missing)


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """Bars, and the report on where they come from."""

    bars: Bars
    report: ImportReport
