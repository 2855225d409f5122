"""Bars, and what an agent sees of them: nothing later than its time (S6-S8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.instrument import Instrument

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
    Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A run of bars of one instrument, oldest first.

    Arrays share one length n and are read-only. ``open_ns[t]`` is the bar's *open* time; the bar is
    known at ``open_ns[t] + length_ns``. A bar that the venue did not emit is absent, never filled in.

    :param length_ns: bar length in nanoseconds.
    :param open_ns: int64[n], strictly ascending, nanoseconds since the epoch, UTC.
    :param open, high, low, close: float64[n], prices in quote.
    :param volume: float64[n], in base.
    """

    instrument: Instrument
    length_ns: int
    open_ns: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        for name in ("open_ns", "open", "high", "low", "close", "volume"):
            array = getattr(self, name)
            if array.flags.writeable:
                view = array.view()
                view.flags.writeable = False
                object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.open_ns)

    def __getitem__(self, rows: slice) -> Bars:
        """The bars of a slice, as views."""
        return Bars(
            self.instrument,
            self.length_ns,
            self.open_ns[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
        )

    def starts(self, hole_bars: int) -> Ints:
        """Rows at which history begins anew: 0, and every row after a hole: int64[m], ascending.

        :param hole_bars: a gap in which at least this many consecutive bars are missing is a hole.
        """
        n = len(self.open_ns)
        if n == 0:
            return np.zeros(0, np.int64)
        first = np.zeros(1, np.int64)
        if int(self.open_ns[-1]) - int(self.open_ns[0]) == (n - 1) * self.length_ns:
            return first  # no bar is missing at all
        holes = np.flatnonzero(np.diff(self.open_ns) > hole_bars * self.length_ns) + 1
        return np.concatenate([first, holes])

    def warming(self, hole_bars: int, warm_up: int) -> Bools:
        """Where fewer than ``warm_up`` bars have come since the start or the last hole: bool[n]."""
        n = len(self.open_ns)
        mask = np.zeros(n, np.bool_)
        for start in self.starts(hole_bars).tolist():
            mask[start : start + warm_up - 1] = True
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class TickBars:
    """The same bars in integers: what the simulated exchange trades on (S10).

    :param open_ns: int64[n], open times.
    :param open, high, low, close: int64[n], prices in ticks.
    :param volume: int64[n], in whole lots, rounded down.
    """

    open_ns: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints

    @classmethod
    def of(cls, bars: Bars) -> TickBars:
        """Round prices half to even, volumes down (a millionth of a lot is taken for float noise)."""
        tick, lot = float(bars.instrument.tick), float(bars.instrument.lot)
        opened, high, low, close = (
            np.rint(column / tick).astype(np.int64) for column in (bars.open, bars.high, bars.low, bars.close)
        )
        return cls(
            np.array(bars.open_ns), opened, high, low, close, np.floor(bars.volume / lot + 5e-7).astype(np.int64)
        )

    def __len__(self) -> int:
        return len(self.open_ns)

    def __getitem__(self, rows: slice) -> TickBars:
        """The bars of a slice, as views."""
        return TickBars(
            self.open_ns[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
        )

    @classmethod
    def join(cls, parts: Sequence[TickBars]) -> TickBars:
        """The bars of several instruments one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.open_ns for part in parts]),
            np.concatenate([part.open for part in parts]),
            np.concatenate([part.high for part in parts]),
            np.concatenate([part.low for part in parts]),
            np.concatenate([part.close for part in parts]),
            np.concatenate([part.volume for part in parts]),
        )


class MarketState:
    """What a signal agent is shown: one instrument at one moment, nothing later.

    A read-only view that is valid during the call only; core moves it on to the next bar.
    Attributes: ``time_ns`` (when the bar became known), ``open_ns``, ``open``, ``high``, ``low``,
    ``close`` (quote), ``volume`` (base) of the newest bar, ``index`` (its row since the anchor),
    ``instrument``, and ``bars``: everything up to and including the newest bar.
    """

    __slots__ = ("_bars", "close", "high", "index", "instrument", "low", "open", "open_ns", "time_ns", "volume")

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self.instrument = bars.instrument
        self.index = -1
        self.time_ns = self.open_ns = 0
        self.open = self.high = self.low = self.close = self.volume = float("nan")

    @property
    def bars(self) -> Bars:
        """The bars up to and including the newest one (views, read-only)."""
        return self._bars[: self.index + 1]

    @property
    def length_ns(self) -> int:
        """Bar length in nanoseconds."""
        return self._bars.length_ns

    @classmethod
    def at(cls, bars: Bars, index: int) -> MarketState:
        """The state in which ``bars[index]`` is the newest bar.

        The state holds a view that ends there, so that nothing later can be reached from it.
        """
        state = cls(bars[: index + 1])
        state.index = index
        state.open_ns = int(bars.open_ns[index])
        state.time_ns = state.open_ns + bars.length_ns
        state.open, state.high = float(bars.open[index]), float(bars.high[index])
        state.low, state.close = float(bars.low[index]), float(bars.close[index])
        state.volume = float(bars.volume[index])
        return state
