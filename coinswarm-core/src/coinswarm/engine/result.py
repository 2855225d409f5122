"""What a run leaves: the same from every engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coinswarm.canonical import FILL_FIELDS, ORDER_FIELDS, order_hash
from coinswarm.domain.order import Refusal
from coinswarm.domain.outcome import TradeOutcome

if TYPE_CHECKING:
    from coinswarm.domain.instrument import Instrument
    from coinswarm.memory.recall.record import RecallRecord

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]

__all__ = ["DECISION_FIELDS", "FILL_FIELDS", "ORDER_FIELDS", "TRADE_FIELDS", "Faults", "RunResult", "note_faults"]

DECISION_FIELDS = (
    "known_ns",
    "instrument",
    "exposure_bp",
    "size_bp",
    "stop_ticks",
    "take_ticks",
    "agree",
    "refusal",
    "order",
    "lots",
)


TRADE_FIELDS = ("instrument", "side", "opened_ns", "closed_ns", "lots", "pnl", "fees", "risk", "agree", "stopped")


class Faults(NamedTuple):
    """What an agent did wrong on one instrument.

    :param times: bars at which it raised, or answered with no valid action.
    :param first: the first of them in words, with its bar; empty where there is none.
    """

    times: int = 0
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """The record of a run. Arrays are int64; money in 1e-8 of the settlement currency.

    :param instruments: sorted by symbol; rows name them by index.
    :param orders: [m, 13], ``ORDER_FIELDS``.
    :param fills: [f, 5], ``FILL_FIELDS``; ``reference`` [f] is each fill's price before costs.
    :param times_ns: [T], bar open times of the union timeline.
    :param equity, exposure_units: [T], equity and gross position value at each mark.
    :param decisions: [d, 10], ``DECISION_FIELDS``: an intent that changed, or a refusal.
    :param trade_rows: [n, 10], closed trades, ``TRADE_FIELDS``; ``trades`` gives them as TradeOutcome.
    :param costs: ``fees``, ``adverse`` (spread and slippage), ``funding``.
    :param errors: per seat, how many bars it abstained because it raised or gave no valid action, and how many
        outcomes it raised at.
    :param first_errors: per seat of those, the first in words.
    :param recall: what was recalled; None: the run had no memory.
    """

    instruments: tuple[Instrument, ...]
    anchor_ns: int
    bar_ns: int
    cash: int
    orders: I2
    fills: I2
    reference: I1
    times_ns: I1
    equity: I1
    exposure_units: I1
    decisions: I2
    trade_rows: I2
    costs: dict[str, int]
    seats: tuple[str, ...] = ()
    errors: dict[str, int] = field(default_factory=dict)
    first_errors: dict[str, str] = field(default_factory=dict)
    recall: RecallRecord | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in sorted order."""
        return tuple(i.symbol for i in self.instruments)

    @property
    def trades(self) -> tuple[TradeOutcome, ...]:
        """Closed trades, in the order in which they closed."""
        symbols = self.symbols
        return tuple(
            TradeOutcome(
                symbols[k], side, opened, closed, closed + self.bar_ns, lots, pnl, fees, risk, agree, bool(stop)
            )
            for k, side, opened, closed, lots, pnl, fees, risk, agree, stop in self.trade_rows.tolist()
        )

    @property
    def refusals(self) -> dict[Refusal, int]:
        """How often each reason refused an order."""
        codes, counts = np.unique(self.decisions[:, 7], return_counts=True)
        return {Refusal(c): n for c, n in zip(codes.tolist(), counts.tolist(), strict=True) if c}

    @property
    def order_hash(self) -> str:
        """The run's order hash (S16), as hex."""
        return order_hash(self.instruments, self.anchor_ns, self.orders, self.fills)


def note_faults(errors: dict[str, int], first: dict[str, str], seat: str, faults: Faults) -> None:
    """Add what a seat did wrong to ``errors`` and ``first_errors``; the first words stay."""
    if faults.times:
        errors[seat] = errors.get(seat, 0) + faults.times
        first.setdefault(seat, faults.first)
