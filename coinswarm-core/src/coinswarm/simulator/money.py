"""Exact integer arithmetic of the reference: Python integers have no limit, so nothing is split (S10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinswarm.domain.instrument import Instrument

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Scale:
    """An instrument's numbers, ready for arithmetic.

    :param num, den: one lot at one tick is worth ``num / den`` money units of 1e-8.
    :param min_units: smallest notional in money units.
    :param shortable: whether positions may be negative.
    :param max_lots: no order is larger; keeps the kernel's products below 2**62.
    """

    num: int
    den: int
    min_units: int
    shortable: bool
    max_lots: int

    @classmethod
    def of(cls, instrument: Instrument, max_lots: int) -> Scale:
        """The numbers of ``instrument``."""
        num, den = instrument.value_ratio
        return cls(num, den, instrument.min_notional_units, instrument.shortable, max_lots)

    def value(self, lots: int, ticks: int) -> int:
        """Worth of ``lots`` at ``ticks``, rounded down."""
        return lots * ticks * self.num // self.den

    def lots_for(self, units: int, ticks: int) -> int:
        """The most lots worth at most ``units`` at ``ticks``."""
        return min(units * self.den // (ticks * self.num), self.max_lots)


def share(amount: int, bp: int) -> int:
    """``bp`` basis points of an amount, rounded down."""
    return amount * bp // 10_000


def part_up(amount: int, ppm: int) -> int:
    """``ppm`` millionths of an amount, rounded up: costs round against us."""
    return -(-amount * ppm // PPM)
