"""Buy-and-hold on the same bars, costs and marks as a run: what doing nothing clever would have made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.simulator.money import PPM, Scale, part_up, share

if TYPE_CHECKING:
    from coinswarm.domain.market import TickBars
    from coinswarm.engine.plan import RunPlan

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class BuyAndHold:
    """Equal shares of the cash in every instrument, held to the end.

    :param equity, exposure_units: int64[T] on the run's timeline: equity and value of the positions at
        each mark, in units of 1e-8. Nothing is sold at the end.
    :param purchases: int64[p, 6], one row per fill: instrument, bar_ns, lots, ticks, reference ticks, fee.
    :param unspent: units of cash that bought nothing: rounding, and shares below the smallest notional.
    """

    equity: I1
    exposure_units: I1
    purchases: I2
    unspent: int


def buy_and_hold(plan: RunPlan, times_ns: I1) -> BuyAndHold:
    """Buy at the first open at which a signal of the first bar could have been filled (S13), and hold.

    Each instrument gets the same share of the starting cash (the first ones a unit more where it does
    not divide) and is bought at its first open after its own first bar, not before ``plan.start_ns``,
    on a bar with volume; under a participation cap it is bought over as many such bars as it takes.
    Price, rounding and fee are a taker's (rules P1 and P3), the fee always in the settlement currency.
    Funding is not charged.

    :param times_ns: int64[T], the run's timeline of bar open times.
    """
    count = len(plan.bars)
    cash = np.full(len(times_ns), plan.cash, np.int64)
    exposure = np.zeros(len(times_ns), np.int64)
    rows: list[tuple[int, int, int, int, int, int]] = []
    for k, (bars, ticks) in enumerate(zip(plan.bars, plan.ticks, strict=True)):
        scale = Scale.of(bars.instrument, plan.max_lots(k))
        part = plan.cash // count + (k < plan.cash % count)
        held = np.zeros(len(times_ns), np.int64)
        for i, lots, price, fee in _buy(scale, ticks, part, plan):
            opened = int(ticks.open_ns[i])
            mark = int(np.searchsorted(times_ns, opened))
            cash[mark:] -= scale.value(lots, price) + fee
            held[mark:] += lots
            rows.append((k, opened, lots, price, int(ticks.open[i]), fee))
        exposure += _marks(scale, ticks, held, times_ns)
    return BuyAndHold(
        equity=cash + exposure,
        exposure_units=exposure,
        purchases=np.array(rows, np.int64).reshape(len(rows), 6),
        unspent=int(cash[-1]) if len(cash) else plan.cash,
    )


def _buy(scale: Scale, ticks: TickBars, cash: int, plan: RunPlan) -> list[tuple[int, int, int, int]]:
    """The purchases that spend ``cash``: (bar, lots, price in ticks, fee), in order."""
    costs, most = plan.costs, scale.max_lots
    bought: list[tuple[int, int, int, int]] = []
    first = max(1, int(np.searchsorted(ticks.open_ns, plan.start_ns)))
    for i in (first + np.flatnonzero(ticks.volume[first:] > 0)).tolist():
        reference = int(ticks.open[i])
        price = reference - (-reference * (costs.spread_ppm + 2 * costs.slippage_ppm) // (2 * PPM))  # P1
        lots = min(cash * scale.den * PPM // (price * scale.num * (PPM + costs.taker_ppm)), most)
        while lots > 0 and _paid(scale, lots, price, plan)[0] > cash:  # the fee is rounded up
            lots -= 1
        cap = share(int(ticks.volume[i]), costs.participation_bp) if costs.participation_bp else lots
        enough, lots = lots <= cap, min(lots, cap)
        paid, fee = _paid(scale, lots, price, plan)
        if lots > 0 and paid - fee >= scale.min_units:
            bought.append((i, lots, price, fee))
            cash, most = cash - paid, most - lots
        if enough:
            break
    return bought


def _paid(scale: Scale, lots: int, price: int, plan: RunPlan) -> tuple[int, int]:
    """What a purchase takes from the cash, and the fee in it (P3)."""
    worth = scale.value(lots, price)
    fee = part_up(worth, plan.costs.taker_ppm)
    return worth + fee, fee


def _marks(scale: Scale, ticks: TickBars, held: I1, times_ns: I1) -> I1:
    """Value of the lots held at each mark; an absent bar keeps the last close (E5)."""
    row = np.searchsorted(ticks.open_ns, times_ns, side="right") - 1
    product = held * ticks.close[np.maximum(row, 0)]
    result: I1 = (product // scale.den) * scale.num + (product % scale.den) * scale.num // scale.den
    return result
