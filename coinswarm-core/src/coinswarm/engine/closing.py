"""At which prices a trade was entered and left, told when it closes: from the exchange's own fills."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from coinswarm.memory.recall.episodes import Traded

if TYPE_CHECKING:
    from coinswarm.domain.instrument import Instrument
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.simulator.reference import SimulatedExchange

PARTS = 1_000
"""Mean prices are whole thousandths of a tick."""
BPS = 10_000


def traded(exchange: SimulatedExchange, k: int, instrument: Instrument, outcome: TradeOutcome) -> Traded:
    """The prices of a trade whose last fill is the newest of instrument ``k``.

    Fills are read backwards, until as much was entered as was left.
    """
    legs: dict[int, list[tuple[int, int, int]]] = {1: [], -1: []}
    held = 0
    for place in range(len(exchange.fills) - 1, -1, -1):
        seq, bar_ns, lots, ticks, _ = exchange.fills[place]
        order = exchange.orders[seq]
        if order.order.instrument != k:
            continue
        if bar_ns < outcome.opened_ns or (held <= 0 and legs[outcome.side]):
            break
        legs[order.side].append((lots, ticks, exchange.references[place]))
        held += -lots if order.side == outcome.side else lots
    entries, exits = legs[outcome.side], legs[-outcome.side]
    part = Decimal(instrument.tick) / PARTS
    return Traded(outcome, part * _mean(entries), part * _mean(exits), _slipped(entries) + _slipped(exits))


def _mean(leg: list[tuple[int, int, int]]) -> int:
    """Mean price in thousandths of a tick, rounded to the nearest; 0 where nothing filled."""
    lots = sum(fill[0] for fill in leg)
    return (2 * PARTS * sum(fill[0] * fill[1] for fill in leg) + lots) // (2 * lots) if lots else 0


def _slipped(leg: list[tuple[int, int, int]]) -> int:
    """What was paid beside the reference prices, in basis points of them, rounded up."""
    worth = sum(lots * reference for lots, _, reference in leg)
    return -(-BPS * sum(lots * abs(ticks - reference) for lots, ticks, reference in leg) // worth) if worth else 0
