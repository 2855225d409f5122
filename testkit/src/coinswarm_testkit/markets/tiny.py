"""Markets of a handful of bars, made by hand: one rule at a time, in whole ticks and lots.

One lot at one tick is worth one unit of quote, all costs and limits are off, and ten lots are bought
at the market, unless a test says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.committee.rules import CommitteeRules
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.domain.action import ActionColumns, Side
from coinswarm.domain.instrument import MONEY, Instrument
from coinswarm.domain.market import Bars
from coinswarm.engine.plan import Funding, RunPlan, SeatedAgent
from coinswarm.execution.style import OrderStyle
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs
from coinswarm_testkit.audit.tables import Tables
from coinswarm_testkit.markets.plans import Scripted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.engine.result import RunResult
    from coinswarm_testkit.audit.tables import DecisionRow, FillRow, OrderRow

HOUR_NS = 3_600_000_000_000
MIDNIGHT_NS = 1_577_836_800_000_000_000
"""2020-01-01 00:00 UTC, when the first bar opens unless ``begin`` says otherwise."""

PLENTY = 1_000_000
"""Volume of a bar that names none, in lots; also the cash that a run begins with, in quote."""

Row = tuple[int, ...] | None
"""Open, high, low, close and perhaps volume; None for a bar that is missing."""

Saying = int | tuple[float, ...]
"""A side, or side, stop distance, target distance and confidence, as many as are needed."""

FREE = Costs(maker_ppm=0, taker_ppm=0)
OPEN = RiskLimits(
    max_position_bp=0,
    max_exposure_bp=0,
    max_loss_per_trade_bp=0,
    daily_loss_bp=0,
    drawdown_bp=0,
    require_stop=False,
)
"""Every limit off."""

BUY, SELL, FLAT, HOLD = (int(side) for side in (Side.BUY, Side.SELL, Side.FLAT, Side.HOLD))


@dataclass(frozen=True, slots=True)
class Leg:
    """One instrument.

    :param rows: its bars.
    :param says: what its agent says at each; HOLD where it ends.
    :param lots: quantity of an entry.
    :param funding: pairs of hour and rate in billionths.
    """

    rows: Sequence[Row]
    says: Sequence[Saying]
    lots: int = 10
    shortable: bool = True
    smallest: int = 0
    funding: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tiny run: its plan, its result, and the rows of its tables."""

    plan: RunPlan
    result: RunResult
    tables: Tables = field(repr=False)

    @property
    def orders(self) -> list[OrderRow]:
        """All orders."""
        return self.tables.orders

    @property
    def fills(self) -> list[FillRow]:
        """All fills, as they were recorded."""
        return self.tables.fills

    @property
    def decisions(self) -> list[DecisionRow]:
        """All decisions."""
        return self.tables.decisions

    def filled(self) -> list[tuple[int, int, int]]:
        """Fills as (bar, signed lots, price)."""
        begin = self.plan.anchor_ns
        return [
            ((fill.bar_ns - begin) // HOUR_NS, self.orders[fill.order].side * fill.lots, fill.ticks)
            for fill in self.fills
        ]

    def equity(self) -> list[float]:
        """Equity at each mark, in quote."""
        return [value / MONEY for value in self.result.equity.tolist()]


def tiny_plan(  # noqa: PLR0913 - the parts of a plan
    *legs: Leg,
    cash: int = PLENTY,
    begin: int = 0,
    costs: Costs = FREE,
    limits: RiskLimits = OPEN,
    style: OrderStyle | None = None,
    rebalance_bp: int = 0,
    **plan: Any,  # noqa: ANN401 - whatever else a plan takes
) -> RunPlan:
    """A plan of hand-made legs.

    :param begin: hour at which row 0 opens.
    """
    bars = tuple(_bars(leg, k, MIDNIGHT_NS + begin * HOUR_NS) for k, leg in enumerate(legs))
    scripts = tuple(_script(leg, made) for leg, made in zip(legs, bars, strict=True))
    return RunPlan(
        bars=bars,
        seats=(SeatedAgent("script", scripts, 10_000),),
        cash=cash * MONEY,
        committee=CommitteeRules(participation_bp=1, enter_bp=1, exit_bp=1, rebalance_bp=rebalance_bp),
        costs=costs,
        limits=limits,
        style=style or OrderStyle(),
        funding={
            made.instrument.symbol: Funding(
                np.array([MIDNIGHT_NS + (begin + hour) * HOUR_NS for hour, _ in leg.funding], np.int64),
                np.array([rate for _, rate in leg.funding], np.int64),
            )
            for leg, made in zip(legs, bars, strict=True)
            if leg.funding
        },
        **{
            "weigher": WeightedWeigher(),
            "sizing": SizingRules(method="lots", fixed_lots=tuple(leg.lots for leg in legs)),
            **plan,
        },
    )


def outcome(plan: RunPlan, result: RunResult) -> Outcome:
    """A run and its tables."""
    return Outcome(plan, result, Tables.of(plan, result))


def _bars(leg: Leg, k: int, first: int) -> Bars:
    instrument = Instrument(f"C{k}/USD", Decimal(1), Decimal(1), Decimal(leg.smallest), leg.shortable)
    there = [(hour, (*row, PLENTY)[:5]) for hour, row in enumerate(leg.rows) if row is not None]
    table = np.array([row for _, row in there], np.float64).T
    times = np.array([first + hour * HOUR_NS for hour, _ in there], np.int64)
    return Bars(instrument, HOUR_NS, times, table[0], table[1], table[2], table[3], table[4])


def _script(leg: Leg, bars: Bars) -> Scripted:
    """Sayings belong to rows that are there; one for a missing bar is passed over."""
    said = [*leg.says, *([HOLD] * (len(leg.rows) - len(leg.says)))]
    full = [(say, 0, 0, 1.0) if isinstance(say, int) else (*say, *(0, 0, 0, 1.0)[len(say) :]) for say in said]
    kept = np.array([full[hour] for hour, row in enumerate(leg.rows) if row is not None], np.float64)
    return Scripted(
        ActionColumns.of(
            bars.instrument,
            kept[:, 0].astype(np.int64),
            stop_distance=kept[:, 1],
            take_distance=kept[:, 2],
            confidence=kept[:, 3],
        )
    )
