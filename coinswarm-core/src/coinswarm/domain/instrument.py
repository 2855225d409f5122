"""What is traded: symbol, tick, lot and smallest notional, and the crossing to integers (S10)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

MONEY = 100_000_000
"""Money is counted in units of 1e-8 of the settlement currency."""

INT_LIMIT = 1 << 62
"""No product on the integer path may reach this; numba wraps silently at 2**63."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A tradable pair on a venue.

    :param symbol: ``BASE/QUOTE``, for example ``BTC/USD``; quote is the settlement currency.
    :param tick: smallest price step, in quote.
    :param lot: smallest quantity step, in base.
    :param min_notional: smallest order value, in quote (0: none).
    :param shortable: whether a position may be negative (a perpetual, or margin).
    :raises ValueError: for a tick or lot that is not positive, or a symbol without ``/``.
    """

    symbol: str
    tick: Decimal
    lot: Decimal
    min_notional: Decimal = Decimal(0)
    shortable: bool = False

    def __post_init__(self) -> None:
        base, slash, quote = self.symbol.partition("/")
        if not (base and slash and quote):
            message = f"symbol {self.symbol!r} is not BASE/QUOTE, as in 'BTC/USD'"
            raise ValueError(message)
        for name, value in (("tick", self.tick), ("lot", self.lot)):
            if not value > 0:
                message = f"{name} of {self.symbol} is {value}, but must be positive"
                raise ValueError(message)
        if self.min_notional < 0:
            message = f"min_notional of {self.symbol} is {self.min_notional}, but must be at least 0"
            raise ValueError(message)

    @property
    def base(self) -> str:
        """The asset that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset that it is paid in."""
        return self.symbol.partition("/")[2]

    @property
    def value_ratio(self) -> tuple[int, int]:
        """``(num, den)``: one lot at one tick is worth ``num / den`` money units of 1e-8 quote."""
        ratio = Fraction(self.tick) * Fraction(self.lot) * MONEY
        return ratio.numerator, ratio.denominator

    @property
    def min_notional_units(self) -> int:
        """``min_notional`` in money units of 1e-8 quote."""
        return int(self.min_notional * MONEY)

    def to_ticks(self, price: float | Decimal) -> int:
        """Price in quote to whole ticks, rounded half to even."""
        if isinstance(price, Decimal):
            return int((price / self.tick).to_integral_value())
        return round(price / float(self.tick))

    def to_lots(self, quantity: float | Decimal) -> int:
        """Quantity in base to whole lots, rounded down: never more than is there."""
        if isinstance(quantity, Decimal):
            return int(quantity // self.lot)
        # A float such as 0.29 / 0.01 falls just short of 29: half a millionth of a lot is noise.
        return int(quantity / float(self.lot) + 5e-7)

    def price(self, ticks: int) -> Decimal:
        """Ticks back to a price in quote."""
        return ticks * self.tick

    def quantity(self, lots: int) -> Decimal:
        """Lots back to a quantity in base."""
        return lots * self.lot
