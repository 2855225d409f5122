"""Contender: backtesting.py. ``peer_backtesting.py AGENT WORK [BARS]``, AGENT ``cross``, ``scripted`` or ``idle``.

Market orders fill at the next open, one unit, commission as a share of each fill. It knows one instrument only: W2 is
twenty runs whose profits are added to one cash. Its statistics (Sharpe ratio, drawdowns ...) are not part of
the work and are left out, which makes it faster than its users see it.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from data import BARS, FAST, SLOW, load
from worker import serve

FEE = 0.001
CASH = 10_000_000.0


def average(close: Any, bars: int) -> np.ndarray[Any, np.dtype[np.float64]]:  # noqa: ANN401 - its own array type
    """Moving average, summed in whole cents.

    The first decision is made one bar after the first number: one number more lets it fall on the bar of ours.
    """
    cents = np.rint(np.asarray(close) * 100).astype(np.int64)
    sums = np.concatenate(([0], np.cumsum(cents)))
    result = np.full(len(cents), np.nan)
    result[bars - 1 :] = (sums[bars:] - sums[:-bars]) / bars
    result[bars - 2] = result[bars - 1]
    return result


class Cross(Strategy):  # type: ignore[misc]
    """Long one unit while the fast average is above the slow one."""

    def init(self) -> None:
        """Both averages at once, as its users write it."""
        self.fast = self.I(average, self.data.Close, FAST)
        self.slow = self.I(average, self.data.Close, SLOW)

    def next(self) -> None:
        """At each closed bar."""
        if self.fast[-1] > self.slow[-1]:
            if not self.position:
                self.buy(size=1)
        elif self.position:
            self.position.close()


class Scripted(Strategy):  # type: ignore[misc]
    """Reads the same decisions from a list: what is left is the engine and its orders."""

    idle = False

    def init(self) -> None:
        """Decide all bars."""
        close = self.data.Close
        above = average(close, FAST) > average(close, SLOW)
        self.script = above.tolist()
        self.bar = SLOW - 2  # next() is first called at bar SLOW - 1
        self.slow = self.I(average, close, SLOW)

    def next(self) -> None:
        """The next line of the script."""
        self.bar += 1
        long = self.script[self.bar] and not self.idle
        if long:
            if not self.position:
                self.buy(size=1)
        elif self.position:
            self.position.close()


class Idle(Scripted):
    """The same without an order."""

    idle = True


STRATEGIES = {"cross": Cross, "scripted": Scripted, "idle": Idle}


def frames(work: str, bars: int) -> list[pd.DataFrame]:
    """A frame per symbol, as it wants them."""
    columns = load(work, bars)
    rows = [columns] if work == "w1" else [{n: v[k] for n, v in columns.items()} for k in range(len(columns["ts"]))]
    return [
        pd.DataFrame(
            {name.title(): row[name] for name in ("open", "high", "low", "close", "volume")},
            index=pd.to_datetime(row["ts"], unit="ns"),
        )
        for row in rows
    ]


def without_statistics() -> None:
    """Leave out what comes after the run; keep the trades and the equity curve that it is made from."""

    def bare(*, trades: Any, equity: Any, strategy_instance: Any, **_: Any) -> pd.Series:  # noqa: ANN401
        return pd.Series({"closed": trades, "open": strategy_instance.trades, "equity": equity}, dtype=object)

    backtesting.backtesting.compute_stats = bare
    backtesting.backtesting._tqdm = lambda bars, **_: bars  # noqa: SLF001 - no progress bar in the measurement


def facts(results: list[Any], cash: float) -> dict[str, Any]:
    """What is held against the reference answer; a float a hair below a cent is that cent."""
    equity = cash + sum(float(result["equity"][-1]) - cash for result in results)
    fills = sum(2 * len(result["closed"]) + len(result["open"]) for result in results)
    return {"fills": fills, "equity_cents": int(equity * 100 + 1e-3)}


def main() -> None:
    """Serve the strategy that the command line names."""
    agent, work = sys.argv[1:3]
    bars = int(sys.argv[3]) if sys.argv[3:] and sys.argv[3].isdigit() else BARS
    warnings.filterwarnings("ignore")
    without_statistics()
    tests = [
        Backtest(frame, STRATEGIES[agent], cash=CASH, commission=FEE, finalize_trades=False)
        for frame in frames(work, bars)
    ]
    serve(lambda: None, lambda _: facts([test.run() for test in tests], CASH))


if __name__ == "__main__":
    main()
