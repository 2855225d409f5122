"""A closed trade, and whose idea it was (S5)."""

from __future__ import annotations

from typing import NamedTuple


class TradeOutcome(NamedTuple):
    """A position from its first entry fill to flat.

    :param instrument: symbol.
    :param side: 1 long, -1 short.
    :param opened_ns, closed_ns: open times of the bars of the first and the last fill.
    :param known_ns: when the outcome could be known: the close of its last bar.
    :param lots: largest quantity held, in lots.
    :param pnl: realised profit after fees and funding, in money units of 1e-8 quote.
    :param fees: fees paid, same unit.
    :param risk: what was at stake: the most lots held times what a lot loses at the stop of the entry that opened it,
        a round trip's costs included, same unit; 0 without a stop.
    :param agree: bit k is set when the agent in seat k agreed at entry.
    :param stopped: whether a protective stop closed it.
    :param share_bp: the share of whom it is told to: its weight among those that agreed.
    """

    instrument: str
    side: int
    opened_ns: int
    closed_ns: int
    known_ns: int
    lots: int
    pnl: int
    fees: int
    risk: int
    agree: int
    stopped: bool
    share_bp: int = 10_000
