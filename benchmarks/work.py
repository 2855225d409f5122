"""W1 and W2 as plans of ours: the agents, the instruments, the settings, and the answer of a run."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from data import BAR_NS, FAST, SLOW, Columns

from coinswarm.committee.weighing import WeightedWeigher
from coinswarm.contracts import ColumnarAgent, SignalAgent
from coinswarm.domain.action import FLAT, Action, ActionColumns, Side
from coinswarm.domain.instrument import MONEY, Instrument
from coinswarm.domain.market import Bars
from coinswarm.engine.plan import RunPlan, SeatedAgent
from coinswarm.indicators import sma
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs

if TYPE_CHECKING:
    from coinswarm.domain.market import MarketState
    from coinswarm.engine.result import RunResult

LONG = Action(Side.BUY, 1.0)
CASH = 10_000_000 * MONEY
ONE_UNIT = 1_000
"""In lots of a thousandth."""


class Columnar(ColumnarAgent):
    """Long while the fast average is above the slow one, written as columns."""

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The stance at every bar."""
        above = sma(bars.close, FAST) > sma(bars.close, SLOW)
        return ActionColumns.of(bars.instrument, above.astype(np.int8))


class Stepwise(SignalAgent):
    """The same with ``decide`` alone: running sums over a window of closes in cents."""

    def __init__(self) -> None:
        self._window: deque[int] = deque([0] * SLOW, SLOW)
        self._fast = self._slow = 0

    def decide(self, state: MarketState) -> Action:
        """The stance at the newest bar."""
        cents = round(state.close * 100)
        window = self._window
        self._fast += cents - window[SLOW - FAST]
        self._slow += cents - window[0]
        window.append(cents)
        return LONG if 2 * self._fast > self._slow else FLAT


class Scripted(SignalAgent):
    """Reads its answers from a list: what is left is the engine and its orders."""

    def __init__(self, script: list[Action]) -> None:
        self._script = script

    def decide(self, state: MarketState) -> Action:
        """The line for the newest bar."""
        return self._script[state.index]


def script(columns: Columns, agent: str) -> list[Action]:
    """W1's answers for ``scripted``; for ``idle`` as many that never want a position."""
    close = columns["close"]
    above = sma(close, FAST) > sma(close, SLOW)
    return [LONG if long and agent == "scripted" else FLAT for long in above.tolist()]


def instruments(columns: Columns, *, shortable: bool = False) -> tuple[Bars, ...]:
    """The data set as bars of one instrument or of several, with prices in cents and lots of a thousandth."""
    rows = [columns] if columns["ts"].ndim == 1 else [
        {name: values[k] for name, values in columns.items()} for k in range(len(columns["ts"]))
    ]  # fmt: skip
    return tuple(
        Bars(Instrument(f"S{k:02d}/USD", Decimal("0.01"), Decimal("0.001"), shortable=shortable), BAR_NS, *row.values())
        for k, row in enumerate(rows)
    )


def seat(agents: list[SignalAgent]) -> SeatedAgent:
    """A committee of one."""
    return SeatedAgent("sma", tuple(agents), 10_000, SLOW)


def plan(bars: tuple[Bars, ...], agents: list[SignalAgent]) -> RunPlan:
    """One unit long or flat, a fee of 10 bps, no limit that would refuse an order."""
    return RunPlan(
        bars=bars,
        seats=(seat(agents),),
        weigher=WeightedWeigher(),
        cash=CASH,
        sizing=SizingRules(method="lots", fixed_lots=(ONE_UNIT,) * len(bars)),
        limits=RiskLimits(
            max_position_bp=0,
            max_exposure_bp=0,
            max_loss_per_trade_bp=0,
            daily_loss_bp=0,
            drawdown_bp=0,
            require_stop=False,
        ),
        costs=Costs(maker_ppm=1_000, taker_ppm=1_000),
    )


def facts(result: RunResult) -> dict[str, Any]:
    """What is held against the reference answer."""
    cents = int(result.equity[-1]) // (MONEY // 100)
    return {"fills": len(result.fills), "equity_cents": cents, "orders": len(result.orders)}
