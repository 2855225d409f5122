"""Tick and lot from the decimals of a file, and the range of the integer path (S10)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.domain.instrument import INT_LIMIT, MONEY
from coinswarm.errors import DataError

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars, Floats

MAX_DECIMALS = 12
"""Finer steps than 1e-12 are taken for noise."""

_NOISE = 1e-15
"""A double keeps 15 decimal digits; what differs by less came from arithmetic, not from a venue."""


def count_decimals(values: Floats) -> int:
    """Most decimals that any of ``values`` has, at most ``MAX_DECIMALS``.

    A whole number divided by a power of ten is correctly rounded, so ``v`` has d decimals exactly if
    ``rint(v * 10**d) / 10**d`` gives ``v`` back; 8827252.0999999996 is the double of 8827252.1 and has one.

    :param values: finite float64[n].
    """
    rest = np.unique(values)
    for decimals in range(MAX_DECIMALS):
        scale = 10.0**decimals
        whole = np.rint(rest * scale)
        rest = rest[np.abs(whole / scale - rest) > _NOISE * np.abs(rest)]
        if len(rest) == 0:
            return decimals
    return MAX_DECIMALS


def step(decimals: int) -> Decimal:
    """``Decimal('0.01')`` for 2."""
    return Decimal(1).scaleb(-decimals)


@dataclass(frozen=True, slots=True)
class Extent:
    """The largest and typical values of a file, which bound what a step may be.

    :param high: highest price.
    :param low: lowest price.
    :param volume: largest volume of a bar, in base.
    :param typical: median of the volumes that are not zero, in base (0: all are).
    """

    high: float
    low: float
    volume: float
    typical: float

    @classmethod
    def of(cls, high: Floats, low: Floats, volume: Floats) -> Extent:
        """Measure the columns of a file with at least one row."""
        traded = volume[volume > 0]
        typical = float(np.median(traded)) if len(traded) else 0.0
        return cls(float(high.max()), float(low.min()), float(volume.max()), typical)

    def fits(self, tick: Decimal, lot: Decimal) -> bool:
        """Whether most ticks times most lots stay below 2**62."""
        return _whole(self.high, tick) * _whole(self.volume, lot) < INT_LIMIT


def _whole(value: float, size: Decimal) -> int:
    """How many steps of ``size`` cover ``value``."""
    return int(Decimal(value) / size) + 1


def fit(tick: Decimal, lot: Decimal, extent: Extent, *, may_tick: bool, may_lot: bool) -> tuple[Decimal, Decimal]:
    """Coarsen inferred steps tenfold until the integer path holds them.

    Some venues record prices and volumes to 8 decimals, which no 64-bit product can hold. Each turn
    coarsens the step that is finer *relative to its column* (tick to the lowest price, lot to the
    median volume): that loses least. Steps that were declared stay as they are.

    :param may_tick: whether the tick was inferred; ``may_lot`` likewise.
    :returns: tick and lot; they may still not fit where one was declared, which ``check_range`` refuses.
    """
    while not extent.fits(tick, lot):
        tick_helps = may_tick and tick < extent.high
        lot_helps = may_lot and lot < extent.volume
        if not (tick_helps or lot_helps):
            break
        if tick_helps and (not lot_helps or float(tick) / extent.low <= float(lot) / extent.typical):
            tick = tick.scaleb(1)
        else:
            lot = lot.scaleb(1)
    return tick, lot


def check_range(bars: Bars) -> None:
    """Refuse bars whose integers could overflow: numba wraps silently (S10).

    A bar's volume is counted in lots, and no order is as large as it may be: what is multiplied by prices are orders,
    which ``RunPlan.max_lots`` bounds. In won or rupiah a day's volume is worth more than any account may hold.

    :raises DataError: where most ticks times most lots reaches 2**62.
    """
    if len(bars) == 0:
        return
    instrument = bars.instrument
    extent = Extent.of(bars.high, bars.low, bars.volume)
    if not extent.fits(instrument.tick, instrument.lot):
        message = (
            f"{instrument.symbol}: price {extent.high:g} in ticks of {instrument.tick} times volume "
            f"{extent.volume:g} in lots of {instrument.lot} reaches 2**62"
        )
        raise DataError(message, remedy="choose a coarser tick or lot")


def vast(bars: Bars) -> str:
    """What to tell of bars that are worth more than an account can hold; empty where none is.

    That may be so, in a small currency; or a volume in quote was taken for one in base.
    """
    worth = float((bars.high * bars.volume).max(initial=0.0))
    if worth * MONEY < INT_LIMIT:
        return ""
    quote = bars.instrument.quote
    return f"a bar is worth up to {worth:.3g} {quote}: if that cannot be, its volume is in {quote}"
