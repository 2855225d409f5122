"""Contender: vectorbt. ``peer_vectorbt.py ENGINE WORK [BARS]``, ENGINE ``numba`` or ``rust``.

Signals are vectorbt's own moving averages, moved one bar on and filled at that bar's open by ``from_signals``, its
fastest way to this answer (``from_orders`` with target amounts takes half as long again). What it is not asked for is
an equity curve, which ours always makes: final equity comes from its order records.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt
from data import BARS, FAST, SLOW, load
from worker import serve

FEE = 0.001
CASH = 10_000_000.0

Table = pd.Series | pd.DataFrame


def tables(work: str, bars: int) -> tuple[Table, Table]:
    """Opens and closes: a series, or a frame with a column per symbol."""
    columns = load(work, bars)
    if work == "w1":
        index = pd.to_datetime(columns["ts"], unit="ns")
        return pd.Series(columns["open"], index), pd.Series(columns["close"], index)
    index = pd.to_datetime(columns["ts"][0], unit="ns")
    return pd.DataFrame(columns["open"].T.copy(), index), pd.DataFrame(columns["close"].T.copy(), index)


def portfolio(opens: Table, closes: Table) -> Any:  # noqa: ANN401 - vectorbt ships no types
    """The work itself."""
    fast = vbt.MA.run(closes, FAST).ma.to_numpy()
    slow = vbt.MA.run(closes, SLOW).ma.to_numpy()
    known = ~np.isnan(slow)
    above = fast > slow
    # A signal of bar t is filled at the open of bar t + 1.
    enter, leave = np.zeros_like(known), np.zeros_like(known)
    enter[1:], leave[1:] = (above & known)[:-1], (~above & known)[:-1]
    shared = {"group_by": True, "cash_sharing": True} if closes.ndim > 1 else {}
    return vbt.Portfolio.from_signals(
        closes, enter, leave, price=opens, size=1.0, fees=FEE, init_cash=CASH, freq="1min", **shared
    )


def facts(made: Any) -> dict[str, Any]:  # noqa: ANN401
    """What is held against the reference answer; a float a hair below a cent is that cent."""
    return {
        "fills": int(made.orders.count()),
        "equity_cents": int(float(made.final_value()) * 100 + 1e-3),
    }


def main() -> None:
    """Serve the engine that the command line names."""
    engine, work = sys.argv[1:3]
    bars = int(sys.argv[3]) if sys.argv[3:] and sys.argv[3].isdigit() else BARS
    warnings.filterwarnings("ignore")
    vbt.settings["engine"] = engine
    opens, closes = tables(work, bars)
    serve(lambda: None, lambda _: facts(portfolio(opens, closes)))


if __name__ == "__main__":
    main()
