"""A result's tables as named rows, beside the bars they happened in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coinswarm.domain.order import OrderFlags, OrderKind

if TYPE_CHECKING:
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult


class OrderRow(NamedTuple):
    """One row of ``RunResult.orders``; ``lots`` and ``trigger`` are the last they had."""

    seq: int
    parent: int
    instrument: int
    decided_ns: int
    side: int
    kind: int
    lots: int
    limit: int
    trigger: int
    tif: int
    flags: int
    end_ns: int
    end_reason: int

    @property
    def reduce_only(self) -> bool:
        """Whether it may only shrink a position."""
        return bool(self.flags & OrderFlags.REDUCE_ONLY)

    @property
    def protective(self) -> bool:
        """Whether it guards a position."""
        return bool(self.flags & OrderFlags.PROTECTIVE)

    @property
    def is_stop(self) -> bool:
        """Whether it is a protective stop."""
        return self.protective and self.kind != OrderKind.LIMIT

    @property
    def is_entry(self) -> bool:
        """Whether it opens or enlarges a position."""
        return not self.reduce_only


class FillRow(NamedTuple):
    """One row of ``RunResult.fills``, with its reference price."""

    order: int
    bar_ns: int
    lots: int
    ticks: int
    fee: int
    reference: int


class DecisionRow(NamedTuple):
    """One row of ``RunResult.decisions``."""

    known_ns: int
    instrument: int
    exposure_bp: int
    size_bp: int
    stop_ticks: int
    take_ticks: int
    agree: int
    refusal: int
    order: int
    lots: int

    @property
    def side(self) -> int:
        """The side that was decided for."""
        return (self.exposure_bp > 0) - (self.exposure_bp < 0)


class Bar(NamedTuple):
    """One bar in ticks and lots."""

    open_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int

    def reaches(self, side: int, trigger: int) -> bool:
        """Whether the range touches a stop's trigger."""
        return self.high >= trigger if side > 0 else self.low <= trigger

    def passes(self, side: int, limit: int) -> bool:
        """Whether the range goes strictly through a limit."""
        return self.low < limit if side > 0 else self.high > limit


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything an audit reads.

    :param bars: per instrument, oldest first; ``rows`` gives a bar's place by its open time.
    :param fills_of: per order, its fills.
    :param entry_decisions: order number of an approved entry -> what was decided.
    :param trails: order number of a trailing stop -> its trigger by bar; filled as it is asked for.
    :param worths: per instrument, what one lot is worth at one tick (``Instrument.value_ratio``).
    """

    plan: RunPlan
    result: RunResult
    orders: list[OrderRow]
    fills: list[FillRow]
    decisions: list[DecisionRow]
    bars: list[list[Bar]]
    rows: list[dict[int, int]]
    fills_of: dict[int, list[FillRow]]
    entry_decisions: dict[int, DecisionRow]
    trails: dict[int, dict[int, int]]
    worths: list[tuple[int, int]]

    @classmethod
    def of(cls, plan: RunPlan, result: RunResult) -> Tables:
        """The tables of one run."""
        orders = [OrderRow(*row) for row in result.orders.tolist()]
        fills = [FillRow(*row) for row in np.column_stack((result.fills, result.reference)).tolist()]
        decisions = [DecisionRow(*row) for row in result.decisions.tolist()]
        names = ("open_ns", "open", "high", "low", "close", "volume")
        bars = [
            [Bar(*row) for row in zip(*(getattr(ticks, name).tolist() for name in names), strict=True)]
            for ticks in plan.ticks
        ]
        fills_of: dict[int, list[FillRow]] = defaultdict(list)
        for fill in fills:
            fills_of[fill.order].append(fill)
        return cls(
            plan,
            result,
            orders,
            fills,
            decisions,
            bars,
            [{bar.open_ns: row for row, bar in enumerate(each)} for each in bars],
            fills_of,
            {d.order: d for d in decisions if d.order >= 0 and orders[d.order].is_entry},
            {},
            [each.instrument.value_ratio for each in plan.bars],
        )

    def value(self, k: int, lots: int, ticks: int) -> int:
        """Worth in money units, rounded down."""
        num, den = self.worths[k]
        return lots * ticks * num // den

    def live(self, order: OrderRow) -> list[Bar]:
        """Bars with volume that an order met while it worked, the one it ended in included, oldest first.

        An order that guards an entry begins with the bar in which that filled.
        """
        bars = self.bars[order.instrument]
        end = order.end_ns if order.end_reason else bars[-1].open_ns
        ended_before_the_bar = order.end_reason and not any(
            fill.bar_ns == order.end_ns for fill in self.fills_of.get(order.seq, ())
        )
        first = row_from(bars, order.decided_ns)
        found = []
        for bar in bars[first:]:
            if bar.open_ns > end or (bar.open_ns == end and ended_before_the_bar):
                break
            if bar.volume > 0:
                found.append(bar)
        return found


def row_from(bars: list[Bar], ns: int) -> int:
    """The place of the first bar that opens at ``ns`` or later."""
    low, high = 0, len(bars)
    while low < high:
        middle = (low + high) // 2
        if bars[middle].open_ns < ns:
            low = middle + 1
        else:
            high = middle
    return low
