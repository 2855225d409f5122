"""What an account holds and is worth: what risk agents are shown beside an intent (S10, S17)."""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm.domain.valid import FULL_BP, line, unique, whole


@dataclass(frozen=True, slots=True)
class Holding:
    """A position in one instrument.

    :param instrument: symbol.
    :param lots: quantity in lots, signed: negative is short; never 0.
    :param entry_ticks: mean price of its fills, in ticks.
    :param worth: value of the position at the last close, in money units of 1e-8 quote, at least 0 (a short
        counts like a long).
    :param stop_ticks: price of the protective stop that works for it, in ticks; 0 for none.
    :raises ValueError: for a number that is not whole or out of range.
    """

    instrument: str
    lots: int
    entry_ticks: int
    worth: int
    stop_ticks: int = 0

    def __post_init__(self) -> None:
        line("instrument of the holding", self.instrument, empty=False)
        whole(f"lots of {self.instrument}", self.lots, None)
        if self.lots == 0:
            message = f"lots of {self.instrument} is 0: what is not held is no holding"
            raise ValueError(message)
        whole(f"entry_ticks of {self.instrument}", self.entry_ticks, 1)
        whole(f"worth of {self.instrument}", self.worth)
        whole(f"stop_ticks of {self.instrument}", self.stop_ticks)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """An account at one moment. Money is in units of 1e-8 of the settlement currency.

    :param time_ns: when it was read, nanoseconds since the epoch.
    :param equity: cash and positions at the last close; may be negative.
    :param cash: may be negative (a short's proceeds are in it, a short's worth is not).
    :param high_water: highest equity so far, or since the drawdown breaker closed.
    :param day_loss: loss of equity since 00:00 UTC or over 24 hours, whichever is larger; at least 0 (S17).
    :param holdings: one per instrument that is held.
    :raises ValueError: for a number that is not whole or out of range, or an instrument held twice.
    """

    time_ns: int
    equity: int
    cash: int
    high_water: int
    day_loss: int = 0
    holdings: tuple[Holding, ...] = ()

    def __post_init__(self) -> None:
        whole("time_ns of the portfolio", self.time_ns)
        whole("equity", self.equity, None)
        whole("cash", self.cash, None)
        whole("high_water", self.high_water, None)
        whole("day_loss", self.day_loss)
        unique("holdings", self.holdings)
        unique("holdings", tuple(holding.instrument for holding in self.holdings))

    def holding(self, instrument: str) -> Holding | None:
        """What is held of an instrument, if anything."""
        return next((holding for holding in self.holdings if holding.instrument == instrument), None)

    @property
    def drawdown_bp(self) -> int:
        """Fall of equity from its high-water mark, in basis points of the mark, rounded down; 0 at the mark."""
        if self.high_water <= 0 or self.equity >= self.high_water:
            return 0
        return (self.high_water - self.equity) * FULL_BP // self.high_water

    @property
    def exposure_bp(self) -> int:
        """Worth of all positions in basis points of equity, rounded up; 10,000 and more where equity is gone."""
        worth = sum(holding.worth for holding in self.holdings)
        if self.equity <= 0:
            return FULL_BP if worth else 0
        return -(-worth * FULL_BP // self.equity)
