"""Random runs for differential tests: several instruments, scripted agents, every rule and refusal in reach.

``random_plan(seed)`` is a pure function of its seed. A plan has one of four *flavours*:

============ ======================================================================================
``ordinary`` everything drawn freely
``wild``     15 % moves a bar and little cash: dust, gaps, orders below the smallest notional
``ruin``     shorts without stops on a price that explodes: equity falls below zero
``all_in``   the whole cash on one side, without slack for fees and gaps: cash does not suffice
============ ======================================================================================
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from coinswarm.committee.rules import CommitteeRules
from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.contracts import ColumnarAgent, Weigher
from coinswarm.domain.action import ActionColumns
from coinswarm.domain.instrument import MONEY, Instrument
from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm.domain.market import Bars
from coinswarm.domain.order import OrderKind, TimeInForce
from coinswarm.engine.plan import Funding, RunPlan, SeatedAgent
from coinswarm.execution.style import OrderStyle
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

MINUTE_NS = 60_000_000_000
EPOCH_NS = 1_600_000_000_000_000_000
FLAVOURS = ("ordinary", "wild", "ruin", "all_in")
_ODDS = (0.76, 0.10, 0.06, 0.08)

STEPS = (("0.01", "0.001"), ("0.5", "0.01"), ("0.0001", "1"), ("0.01", "0.00000001"), ("1", "0.1"), ("0.05", "3"))
"""Tick and lot, with value ratios above, at and below one money unit."""


class Scripted(ColumnarAgent):
    """Says what it was given, whatever the market."""

    def __init__(self, columns: ActionColumns) -> None:
        self.columns = columns

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The script, as far as ``bars`` reach."""
        return self.columns[: len(bars)]


class Contrarian(Weigher):
    """A weigher that is not the bundled one: adds stances up, leans short, ignores confidence."""

    def step(self, row: ActionRow, weights: Sequence[int]) -> Exposure:
        """The exposure of one row."""
        part = sum(weight for weight, present in zip(weights, row.present, strict=True) if present)
        stance = sum(side for side, present in zip(row.direction, row.present, strict=True) if present)
        return Exposure(max(-10_000, min(10_000, stance * 6_000 - 1_000)), part)


class _Dice:
    """Draws from one seeded generator."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.flavour = str(self.rng.choice(FLAVOURS, p=_ODDS))

    def one_of(self, *values: T) -> T:
        """One of the values, each as likely as the others; repeat a value to favour it."""
        return values[int(self.rng.integers(len(values)))]

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return bool(self.rng.random() < p)


def random_plan(seed: int) -> RunPlan:
    """A plan of 1 to 3 instruments, 60 to 400 bars each, 1 to 3 scripted agents and random rules.

    Prices, lots, smallest notionals, costs, limits, order styles, holes, volumes and funding vary.

    :param seed: any non-negative integer; the same seed gives the same plan.
    """
    dice = _Dice(seed)
    count, n = int(dice.rng.integers(1, 4)), int(dice.rng.integers(60, 400))
    seats = int(dice.rng.integers(1, 4))
    length = dice.one_of(MINUTE_NS, 60 * MINUTE_NS, 240 * MINUTE_NS)
    start = EPOCH_NS // length * length
    bars, scripts = [], []
    for k in range(count):
        instrument = _instrument(dice, k)
        sigma = 0.15 if dice.flavour == "wild" else dice.one_of(0.002, 0.01, 0.05)
        base = int(dice.rng.integers(*dice.one_of((30, 200), (200, 100_000), (200, 100_000))))
        made = _bars(dice, instrument, n, length=length, start=start, sigma=sigma, base=base)
        bars.append(made)
        scripts.append([_script(dice, made, sigma * base * float(instrument.tick)) for _ in range(seats)])
    weights = dice.rng.multinomial(10_000, np.ones(seats) / seats).tolist()
    return RunPlan(
        bars=tuple(bars),
        seats=tuple(
            SeatedAgent(f"agent{a}", tuple(row[a] for row in scripts), weights[a], dice.one_of(0, 0, 20))
            for a in range(seats)
        ),
        weigher=WeightedWeigher() if dice.chance(0.8) else Contrarian(),
        cash=_cash(dice) * MONEY,
        hole_bars=dice.one_of(1, 2, 3),
        start_ns=dice.one_of(0, start + 30 * length),
        funding={b.instrument.symbol: _funding(dice, b) for b in bars if b.instrument.shortable and dice.chance(0.5)},
        **_rules(dice, count),
    )


def _instrument(dice: _Dice, k: int) -> Instrument:
    tick, lot = dice.one_of(*STEPS)
    smallest = Decimal(dice.one_of(0, 0, 10, 50))
    shortable = dice.flavour == "ruin" or dice.chance(0.5)
    return Instrument(f"C{k}/USD", Decimal(tick), Decimal(lot), smallest, shortable)


def _cash(dice: _Dice) -> int:
    """Starting cash in quote."""
    return dice.one_of(50, 300) if dice.flavour == "wild" else dice.one_of(1_000, 100_000, 10_000_000)


def _bars(  # noqa: PLR0913 - what a market varies in
    dice: _Dice, instrument: Instrument, n: int, *, length: int, start: int, sigma: float, base: int
) -> Bars:
    """A geometric walk in whole ticks, with missing bars, a hole, gaps at the open and bars without volume.

    :param base: first price in ticks; a small one makes touches of a level frequent.
    :param sigma: standard deviation of a bar's log return.
    """
    rng = dice.rng
    there = rng.random(n) > dice.one_of(0.0, 0.05, 0.3)
    there[0] = True
    rows = np.flatnonzero(there)
    if dice.chance(0.3) and len(rows) > 100:  # noqa: PLR2004 - enough is left on both sides of the hole
        rows = np.concatenate([rows[: len(rows) // 2], rows[len(rows) // 2 + 20 :]])
    m = len(rows)
    drift = 0.04 if dice.flavour == "ruin" else 0.0
    steps = np.minimum(np.cumsum(rng.standard_normal(m) * sigma + drift), 9.0)
    close = np.maximum(np.rint(base * np.exp(steps)), 3).astype(np.int64)
    gap = 1 + rng.standard_normal(m) * sigma * dice.one_of(0.0, 0.3, 1.0)
    opened = np.maximum(np.rint(np.concatenate(([base], close[:-1])) * gap), 2).astype(np.int64)
    wide = sigma * close * dice.one_of(1, 1, 4)
    up, down = (np.abs(rng.standard_normal(m)) * wide for _ in range(2))
    high = np.maximum(opened, close) + np.rint(up * dice.one_of(0.0, 0.5, 1.0)).astype(np.int64)
    low = np.maximum(np.minimum(opened, close) - np.rint(down * 0.7).astype(np.int64), 1)
    volume = np.rint(np.exp(rng.standard_normal(m) + 3)) * dice.one_of(1, 100, 10_000)
    volume[rng.random(m) < dice.one_of(0.0, 0.1)] = 0
    tick = float(instrument.tick)
    times, lot = start + rows * length, float(instrument.lot)
    prices = [column.astype(np.float64) * tick for column in (opened, high, low, close)]
    return Bars(instrument, length, times, prices[0], prices[1], prices[2], prices[3], volume * lot)


def _script(dice: _Dice, bars: Bars, move: float) -> Scripted:
    """Stances that stick for a while, with bracket distances around the size of a bar.

    :param move: a typical move of a bar, in price.
    """
    rng, n = dice.rng, len(bars)
    odds = [0.7, 0.1, 0.1, 0.05, 0.05] if dice.flavour == "ruin" else [0.25, 0.2, 0.35, 0.1, 0.1]
    side = rng.choice([-1, 0, 1, 2, 3], size=n, p=odds)
    stays = rng.random(n) < dice.one_of(0.5, 0.9, 0.97)
    for row in range(1, n):
        if stays[row]:
            side[row] = side[row - 1]
    tick = float(bars.instrument.tick)
    stop, take = (
        np.where(rng.random(n) < none, 0.0, np.rint(np.abs(rng.standard_normal(n)) * reach * move / tick) + 1) * tick
        for none, reach in ((0.1, 2), (0.2, 3))
    )
    if dice.flavour == "ruin" or dice.chance(0.15):
        stop[:] = 0
    sure = dice.flavour in {"ruin", "all_in"}
    return Scripted(
        ActionColumns.of(
            bars.instrument,
            side,
            confidence=1.0 if sure else rng.random(n),
            size=1.0 if sure else rng.random(n),
            stop_distance=stop,
            take_distance=take,
        )
    )


def _funding(dice: _Dice, bars: Bars) -> Funding:
    """Payments every eight bars or sixty minutes, both signs."""
    every = 8 * bars.length_ns if bars.length_ns > MINUTE_NS else 60 * MINUTE_NS
    times: Ints = np.arange(int(bars.open_ns[0]), int(bars.open_ns[-1]) + bars.length_ns, every, dtype=np.int64)
    return Funding(times, np.rint(dice.rng.standard_normal(len(times)) * 1e5).astype(np.int64))


def _rules(dice: _Dice, count: int) -> dict[str, Any]:
    """Committee, sizing, limits, costs and order style of a plan."""
    pick, free = dice.one_of, dice.flavour in {"ruin", "all_in"}
    kind = OrderKind.MARKET if free else pick(*(OrderKind(code) for code in (0, 0, 1, 2, 3)))
    forces = (0, 0, 3, 4) if kind in {OrderKind.STOP, OrderKind.STOP_LIMIT} else (0, 0, 1, 2, 3, 4)
    tif = TimeInForce(pick(*forces))
    return {
        "committee": CommitteeRules(
            participation_bp=pick(0, 3_000, 6_000),
            enter_bp=pick(1, 1_000, 3_000),
            exit_bp=pick(0, 1, 500),
            rebalance_bp=pick(0, 0, 500, 2_000),
        ),
        "sizing": SizingRules(
            method="fraction" if free else pick("calibrated", "calibrated", "fraction", "lots", "published"),
            prior_trades=pick(1, 5, 30),
            probe_bp=pick(0, 25, 100),
            kelly_bp=pick(2_500, 10_000),
            fixed_lots=tuple(pick(1, 10, 1_000, 100_000) for _ in range(count)),
        ),
        "limits": RiskLimits(max_position_bp=0, max_exposure_bp=0, max_loss_per_trade_bp=0, daily_loss_bp=0,
                             require_stop=False, drawdown_bp=0) if free else _limits(dice),
        "costs": Costs(
            maker_ppm=pick(0, 1_000),
            taker_ppm=pick(0, 1_000, 6_000),
            spread_ppm=pick(0, 500),
            slippage_ppm=pick(0, 300),
            participation_bp=pick(0, 0, 500, 5_000),
            fee_in_base=pick(False, False, True),  # noqa: FBT003 - values to draw from
        ),
        "style": OrderStyle(
            entry=kind,
            offset_ppm=pick(0, 1_000, 5_000, 20_000),
            limit_offset_ppm=pick(0, 2_000),
            tif=tif,
            ttl_bars=pick(1, 5) if tif == TimeInForce.GTD else 0,
            trailing=pick(False, False, True),  # noqa: FBT003 - values to draw from
        ),
    }  # fmt: skip


def _limits(dice: _Dice) -> RiskLimits:
    """Limits and protections, each off in some plans."""
    pick = dice.one_of
    return RiskLimits(
        max_position_bp=pick(0, 2_000, 5_000, 10_000),
        max_exposure_bp=pick(0, 3_000, 10_000),
        max_order_units=pick(0, 0, 5_000 * MONEY),
        max_loss_per_trade_bp=pick(0, 50, 200),
        daily_loss_bp=pick(0, 100, 500),
        max_trades_per_day=pick(0, 0, 3),
        price_band_bp=pick(0, 0, 100),
        require_stop=pick(False, True),  # noqa: FBT003 - values to draw from
        cool_down_bars=pick(0, 3, 10),
        stop_guard_count=pick(0, 0, 1, 2, 4),
        stop_guard_bars=pick(5, 50),
        stop_guard_pause_bars=pick(5, 30),
        drawdown_bp=pick(0, 300, 2_000),
        drawdown_pause_bars=pick(0, 20),
    )
