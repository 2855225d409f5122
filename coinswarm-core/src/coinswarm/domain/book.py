"""An order book at one moment: what execution agents are shown (S10)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from coinswarm.domain.valid import whole

if TYPE_CHECKING:
    from coinswarm.domain.instrument import Instrument

Level = tuple[int, int]
"""Price in ticks, quantity in lots."""


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Resting orders of one instrument, best price first. *Provisional.*

    A side may be empty, and a venue may show a book whose best bid is at or above its best ask
    (``crossed``): what is shown is not always what can be had.

    :param time_ns: when the venue says it was so, nanoseconds since the epoch.
    :param bids: levels in falling order of price.
    :param asks: levels in rising order of price.
    :raises ValueError: for levels out of order, or a price or quantity that is not a whole number of at least 1.
    """

    instrument: Instrument
    time_ns: int
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        whole("time_ns of the book", self.time_ns)
        for side, levels, rising in (("bid", self.bids, -1), ("ask", self.asks, 1)):
            for ticks, lots in levels:
                whole(f"price of a level of {side}s", ticks, 1)
                whole(f"quantity of a level of {side}s", lots, 1)
            for (better, _), (worse, _) in pairwise(levels):
                if (worse - better) * rising <= 0:
                    message = f"{side} {worse:,} stands behind {better:,}: levels go from the best price to the worst"
                    raise ValueError(message)

    @property
    def crossed(self) -> bool:
        """Whether somebody bids at or above what somebody asks."""
        return bool(self.bids and self.asks) and self.bids[0][0] >= self.asks[0][0]

    def facing(self, side: int) -> tuple[Level, ...]:
        """The levels that an order of that side would take from: asks for 1 (buys), bids for -1 (sells)."""
        return self.asks if side > 0 else self.bids

    def depth(self, side: int, limit: int = 0) -> int:
        """Lots that an order of that side finds.

        :param limit: in ticks; no worse price counts; 0 for any.
        """
        return sum(lots for ticks, lots in self.facing(side) if not limit or (limit - ticks) * side >= 0)
