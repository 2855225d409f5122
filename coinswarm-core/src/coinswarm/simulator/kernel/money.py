"""Whole numbers: worth, fees and shares, without leaving int64 (S10, P3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.simulator.kernel import layout as at
from coinswarm.simulator.kernel.codes import PPM
from coinswarm.simulator.kernel.typed import jit

if TYPE_CHECKING:
    from coinswarm.simulator.kernel.layout import I2


@jit
def muldiv(a: int, b: int, d: int) -> int:
    """``a * b // d`` without leaving int64, for a >= 0 and (d - 1) * b < 2**63 (S10)."""
    q = a // d
    return q * b + (a - q * d) * b // d


@jit
def value(tab: I2, k: int, lots: int, ticks: int) -> int:
    """Worth of ``lots`` at ``ticks``, in money units, rounded down."""
    den = tab[at.I + k, at.DEN]
    if den == 1:
        return lots * ticks * tab[at.I + k, at.NUM]
    return muldiv(lots * ticks, tab[at.I + k, at.NUM], den)


@jit
def lots_for(tab: I2, k: int, units: int, ticks: int) -> int:
    """The most lots worth at most ``units`` at ``ticks``."""
    return min(muldiv(units, tab[at.I + k, at.DEN], ticks * tab[at.I + k, at.NUM]), tab[at.I + k, at.MAX_LOTS])


@jit
def fee_of(worth: int, ppm: int) -> int:
    """``ceil(worth * ppm / 1e6)`` (P3)."""
    q = worth // PPM
    return q * ppm + ((worth - q * PPM) * ppm + PPM - 1) // PPM


@jit
def part_up(ticks: int, ppm: int) -> int:
    """``ceil(ticks * ppm / 1e6)``."""
    return (ticks * ppm + PPM - 1) // PPM
