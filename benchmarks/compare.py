"""Fills and equity of ours held against engines by other hands; started by ``agreement.py``.

Each case is run by every engine that can express it. Prices of fills must be equal, and equity at every bar equal to
within half a cent: ours is counted in integers, theirs in floats. The last line printed is JSON: per case how many
fills and marks were compared, and the first difference.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import data
import numpy as np
import pandas as pd
import peer_backtesting
import peer_vectorbt
import vectorbt as vbt
import work
from backtesting import Backtest, Strategy

from coinswarm.contracts import ColumnarAgent
from coinswarm.domain.action import ActionColumns
from coinswarm.domain.instrument import MONEY
from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.market import Bars
    from coinswarm.engine.result import RunResult

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

CASH = 10_000_000.0
FEE = 0.001
SCRIPTS, SCRIPT_BARS = 40, 2_000
SHORT = 100_000


@dataclass(frozen=True)
class Book:
    """What an engine did.

    :param fills: int64[n, 4], sorted: bar, instrument, signed units, price in cents.
    :param equity: float64[bars], in the settlement currency.
    """

    fills: Ints
    equity: Floats


class Scripted(ColumnarAgent):
    """Long, short or flat as written, with one stop distance (0: none).

    :param sides: int64[bars].
    """

    def __init__(self, sides: Ints, stop: float) -> None:
        self._sides, self._stop = sides, stop

    def decide_all(self, bars: Bars) -> ActionColumns:
        """The script as columns."""
        return ActionColumns.of(bars.instrument, self._sides, stop_distance=self._stop)


def ours(result: RunResult) -> Book:
    """A result of ours."""
    order, bar_ns, lots, ticks, _ = result.fills.T
    by_seq = result.orders[np.searchsorted(result.orders[:, 0], order)]
    signed = by_seq[:, 4] * lots // work.ONE_UNIT
    bars = np.searchsorted(result.times_ns, bar_ns)
    return Book(_sorted(bars, by_seq[:, 2], signed, ticks), result.equity / MONEY)


def _sorted(*columns: Any) -> Ints:  # noqa: ANN401 - arrays of integers
    """Fills in one order for all engines."""
    rows = np.column_stack(columns).astype(np.int64)
    return rows[np.lexsort(rows.T[::-1])]


class ByScript(Strategy):  # type: ignore[misc]
    """The same script in backtesting.py. After a stop, a side is entered again only when the script has left it."""

    script: Sequence[int] = ()
    opens: Ints | None = None
    stop_cents = 0

    def init(self) -> None:
        """Nothing stands yet."""
        self.side = 0

    def next(self) -> None:
        """Act where the script changes; the order fills at the next open, which the stop is measured from."""
        bar = len(self.data) - 1
        side = self.script[bar]
        if side == self.side:
            return
        self.side = side
        if self.position:
            self.position.close()
        if side and bar + 1 < len(self.script):
            assert self.opens is not None
            stop = (self.opens[bar + 1] - side * self.stop_cents) / 100 if self.stop_cents else None
            (self.buy if side > 0 else self.sell)(size=1, sl=stop)


def by_backtesting(columns: data.Columns, strategy: type[Strategy], **parameters: Any) -> Book:  # noqa: ANN401
    """A run of backtesting.py."""
    frame = pd.DataFrame(
        {name.title(): columns[name] for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(columns["ts"], unit="ns"),
    )
    test = Backtest(frame, strategy, cash=CASH, commission=FEE, finalize_trades=False)
    result = test.run(**parameters)
    trades = [*result["closed"], *result["open"]]
    rows = [(t.entry_bar, t.size, t.entry_price) for t in trades]
    rows += [(t.exit_bar, -t.size, t.exit_price) for t in result["closed"]]
    bars, units, prices = zip(*rows, strict=True) if rows else ((), (), ())
    return Book(_sorted(bars, np.zeros(len(rows)), units, np.rint(np.array(prices) * 100)), result["equity"])


def by_vectorbt(made: Any) -> Book:  # noqa: ANN401
    """A portfolio of vectorbt."""
    records = made.orders.values  # noqa: PD011 - a record array, not a series
    units = np.where(records["side"] == 0, 1, -1) * np.rint(records["size"])
    prices = np.rint(records["price"] * 100)
    return Book(_sorted(records["idx"], records["col"], units, prices), np.asarray(made.value()))


def netted(book: Book) -> Book:
    """One row per bar, instrument and price: vectorbt turns a position around in one order, we in two."""
    keys, where = np.unique(book.fills[:, [0, 1, 3]], axis=0, return_inverse=True)
    units = np.zeros(len(keys), np.int64)
    np.add.at(units, where.ravel(), book.fills[:, 2])
    return Book(_sorted(keys[:, 0], keys[:, 1], units, keys[:, 2]), book.equity)


def scripts(rng: np.random.Generator) -> Ints:
    """A side for each bar, held for one to thirty bars; flat while ours warms up."""
    sides: list[int] = []
    while len(sides) < SCRIPT_BARS:
        sides += [int(rng.integers(-1, 2))] * int(rng.integers(1, 31))
    made = np.array(sides[:SCRIPT_BARS], np.int64)
    made[: data.SLOW] = 0
    return made


def gapped(columns: data.Columns, rng: np.random.Generator) -> data.Columns:
    """The same bars with opens up to fifteen away from the last close, so that some gap through a stop."""
    shifts = rng.integers(-1_500, 1_501, len(columns["open"]))
    opens = (np.rint(columns["open"] * 100).astype(np.int64) + shifts) / 100
    high, low = np.maximum(columns["high"], opens), np.minimum(columns["low"], opens)
    return {**columns, "open": opens, "high": high, "low": low}


def difference(mine: Book, theirs: Book) -> str:
    """The first difference, or nothing."""
    if len(mine.fills) != len(theirs.fills):
        return f"{len(mine.fills)} fills, not {len(theirs.fills)}"
    unlike = np.flatnonzero((mine.fills != theirs.fills).any(axis=1))
    if len(unlike):
        return f"fill {mine.fills[unlike[0]].tolist()}, not {theirs.fills[unlike[0]].tolist()}"
    apart = np.flatnonzero(np.abs(mine.equity - theirs.equity) >= 0.005)  # noqa: PLR2004 - half a cent
    if len(apart):
        bar = apart[0]
        return f"equity {mine.equity[bar]:.4f} at bar {bar}, not {theirs.equity[bar]:.4f}"
    return ""


class Tally:
    """Counts what was compared, case by case."""

    def __init__(self) -> None:
        self.cases: dict[str, dict[str, Any]] = {}

    def add(self, case: str, mine: Book, theirs: Book) -> None:
        """Compare one run."""
        found = self.cases.setdefault(case, {"fills": 0, "marks": 0, "difference": ""})
        found["fills"] += len(theirs.fills)
        found["marks"] += len(theirs.equity)
        found["difference"] = found["difference"] or difference(mine, theirs)


def crossing(tally: Tally) -> None:
    """W1's first 100,000 bars, and W2 on one account."""
    short = data.load("w1", SHORT)
    mine = ours(run_columns(work.plan(work.instruments(short), [work.Columnar()])))
    tally.add("W1 100k, backtesting.py", mine, by_backtesting(short, peer_backtesting.Cross))
    tally.add("W1 100k, vectorbt", mine, by_vectorbt(peer_vectorbt.portfolio(*peer_vectorbt.tables("w1", SHORT))))
    bars = work.instruments(data.load("w2"))
    mine = ours(run_columns(work.plan(bars, [work.Columnar() for _ in bars])))
    theirs = peer_vectorbt.portfolio(*peer_vectorbt.tables("w2", data.BARS))
    tally.add("W2, vectorbt", mine, by_vectorbt(theirs))


def scripted(tally: Tally) -> None:
    """Scripts drawn at random: both sides and reversals; then the same with protective stops."""
    w1 = data.load("w1", SHORT)
    rng = np.random.default_rng(data.SEED)
    for number in range(SCRIPTS):
        start = int(rng.integers(0, SHORT - SCRIPT_BARS))
        columns = gapped({name: values[start : start + SCRIPT_BARS] for name, values in w1.items()}, rng)
        bars = work.instruments(columns, shortable=True)
        sides = scripts(rng)
        opens = np.rint(columns["open"] * 100).astype(np.int64)
        for stop_cents in (0, int(rng.integers(2_000, 20_000))):
            run = run_steps if number % 2 else run_columns
            mine = ours(run(work.plan(bars, [Scripted(sides, stop_cents / 100)])))
            parameters = {"script": sides.tolist(), "opens": opens, "stop_cents": stop_cents}
            case = "random stances and stops, backtesting.py" if stop_cents else "random stances, backtesting.py"
            tally.add(case, mine, by_backtesting(columns, ByScript, **parameters))
            if not stop_cents:
                tally.add("random stances, vectorbt", netted(mine), by_vectorbt(_targets(columns, sides)))


def _targets(columns: data.Columns, sides: Ints) -> Any:  # noqa: ANN401
    """The script as target amounts of vectorbt, one bar on."""
    index = pd.to_datetime(columns["ts"], unit="ns")
    target = np.concatenate(([0], sides[:-1])).astype(np.float64)
    opens, closes = pd.Series(columns["open"], index), pd.Series(columns["close"], index)
    return vbt.Portfolio.from_orders(
        closes, size=target, size_type="targetamount", price=opens, fees=FEE, init_cash=CASH, freq="1min"
    )


def main() -> None:
    """Compare everything."""
    warnings.filterwarnings("ignore")
    peer_backtesting.without_statistics()
    tally = Tally()
    crossing(tally)
    scripted(tally)
    print(json.dumps({"facts": tally.cases}))


if __name__ == "__main__":
    main()
