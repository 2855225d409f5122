"""What an agent earned on the paths of an ensemble, one number per path."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.evidence.days import cut_days
from coinswarm.evidence.statistics import STILL, YEAR_DAYS
from coinswarm_testkit.evidence import desk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.action import ActionColumns
    from coinswarm.engine.result import RunResult
    from coinswarm.simulator.costs import Costs
    from coinswarm_testkit.markets.ensembles import Ensemble

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

_PNL = 5


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """One number per path, net of costs unless said otherwise; shares are of 1.

    :param profit: final equity ÷ cash - 1.
    :param gross: the same with what was paid in costs added back.
    :param drawdown: deepest fall of equity from an earlier peak.
    :param trades, wins: closed trades, and those with a profit.
    :param exposed: share of marks with a position.
    :param exposure: mean of |position value| ÷ equity.
    :param returns: daily returns of all paths, end to end.
    """

    profit: Floats
    gross: Floats
    drawdown: Floats
    trades: Floats
    wins: Floats
    exposed: Floats
    exposure: Floats
    returns: Floats

    def __len__(self) -> int:
        return len(self.profit)

    @property
    def t(self) -> float:
        """Mean profit ÷ its standard error over the paths; 0 where the paths do not differ."""
        deviation = float(self.profit.std(ddof=1))
        return float(self.profit.mean()) / deviation * math.sqrt(len(self)) if deviation > STILL else 0.0

    @property
    def sharpe(self) -> float | None:
        """Annualised, of all days of all paths; None where nothing moved."""
        deviation = float(self.returns.std(ddof=1)) if len(self.returns) > 1 else 0.0
        return float(self.returns.mean()) / deviation * math.sqrt(YEAR_DAYS) if deviation > STILL else None

    @property
    def hit_rate(self) -> float | None:
        """Winning ÷ closed trades; None without any."""
        closed = float(self.trades.sum())
        return float(self.wins.sum()) / closed if closed else None

    def plain(self) -> dict[str, float | None]:
        """The numbers of a certificate."""
        return {
            "paths": float(len(self)),
            "profit": float(self.profit.mean()),
            "gross": float(self.gross.mean()),
            "t": self.t,
            "sharpe": self.sharpe,
            "hit_rate": self.hit_rate,
            "trades": float(self.trades.mean()),
            "drawdown_mean": float(self.drawdown.mean()),
            "drawdown_worst": float(self.drawdown.max()),
            "time_in_market": float(self.exposed.mean()),
            "exposure": float(self.exposure.mean()),
        }


def tally(
    market: Ensemble, columns: Sequence[ActionColumns], *, warm_up: int, costs: Costs = desk.VENUES[desk.USUAL]
) -> Tally:
    """Trade every path of an ensemble, each on an account of its own.

    :param columns: what the agent says on each path.
    :param warm_up: bars of each path that are not measured.
    """
    rows = []
    returns = []
    for bars, said in zip(market, columns, strict=True):
        start = int(bars.open_ns[min(warm_up, len(bars) - 1)])
        result = desk.traded(bars, said, costs=costs, warm_up=warm_up, start_ns=start)
        row, daily = _path(result, start)
        rows.append(row)
        returns.append(daily)
    table = np.array(rows, np.float64).T
    profit, gross, drawdown, trades, wins, exposed, exposure = table
    return Tally(profit, gross, drawdown, trades, wins, exposed, exposure, np.concatenate(returns))


def _path(result: RunResult, start_ns: int) -> tuple[tuple[float, ...], Floats]:
    """The numbers of one path, and its daily returns, from ``start_ns`` on."""
    shown = slice(int(np.searchsorted(result.times_ns, start_ns)), None)
    equity, exposure = result.equity[shown], result.exposure_units[shown]
    days = cut_days(result.times_ns[shown], result.bar_ns, equity, exposure, result.cash)
    path = np.concatenate(([result.cash], equity)).astype(np.float64)
    peak = np.maximum.accumulate(path)
    pnl = result.trade_rows[:, _PNL]
    net = path[-1] / result.cash - 1.0
    paid = sum(result.costs.values()) / result.cash
    marks = max(float(days.marks.sum()), 1.0)
    return (
        net,
        net + paid,
        float(((peak - path) / peak).max()),
        float(len(pnl)),
        float((pnl > 0).sum()),
        float(days.exposed.sum()) / marks,
        float(days.exposure.sum()) / marks,
    ), days.returns
