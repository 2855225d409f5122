"""The data of the charts, in integers and short: the page's script turns them into pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.report.contribution import CLOSED, attributed
from coinswarm.backtest.report.grid import Grid, changes, deltas
from coinswarm.backtest.report.stances import stance
from coinswarm.backtest.tables import trades
from coinswarm.backtest.tradefills import still_open
from coinswarm.canonical import ORDER_FIELDS
from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import OrderFlags, OrderKind
from coinswarm.engine.result import TRADE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.backtest.buyhold import BuyAndHold
    from coinswarm.backtest.report.stances import Actions
    from coinswarm.domain.action import ActionColumns
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]

ENTRY, EXIT, STOP, TARGET = range(4)
"""What a fill, or a level, was for."""
NO_STANCE = 20_000
"""Stands for an agent that does not take part."""
MOST_CURVES = 12
"""Contribution curves; the table names every agent."""
_TRADE_SIDE, _OPENED = (TRADE_FIELDS.index(name) for name in ("side", "opened_ns"))
_AT = {name: place for place, name in enumerate(ORDER_FIELDS)}


def chart_data(  # noqa: PLR0913 - what is drawn
    plan: RunPlan, result: RunResult, benchmark: BuyAndHold, actions: Actions, grid: Grid, places: int
) -> dict[str, Any]:
    """Everything that is drawn.

    :param places: decimals of money that are kept.
    """
    scale = MONEY // 10**places

    def rounded(units: I1) -> list[int]:
        return deltas((units + scale // 2) // scale)

    fall = drawdown(result)
    exposure = np.abs(result.exposure_units) / np.maximum(result.equity, 1)
    begun = still_open(result)
    return {
        "currency": plan.bars[0].instrument.quote,
        "places": places,
        "step": grid.step,
        "seconds": changes(np.diff(grid.seconds(), prepend=0)),
        "start": result.cash // scale,
        "equity": rounded(result.equity[grid.last]),
        "held": rounded(benchmark.equity[grid.last]),
        "drawdown": deltas(np.rint(grid.highest(fall) * 10_000).astype(np.int64)),
        "exposure": deltas(np.rint(grid.highest(exposure) * 10_000).astype(np.int64)),
        "seats": [seat.name for seat in plan.seats],
        "contribution": contribution(plan, result, grid, scale),
        "instruments": [_instrument(plan, result, actions, grid, k, begun[k]) for k in range(len(plan.bars))],
    }


def drawdown(result: RunResult) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Fall from the highest earlier equity (the starting cash included) at each mark, as a share of it."""
    peak = np.maximum(np.maximum.accumulate(result.equity), result.cash) if len(result.equity) else result.equity
    share: np.ndarray[tuple[int], np.dtype[np.float64]] = (peak - result.equity) / np.maximum(peak, 1)
    return share


def contribution(plan: RunPlan, result: RunResult, grid: Grid, scale: int) -> list[list[list[int]]]:
    """Attributed profit so far, per seat: ``[group, amount]`` where it changes."""
    if not len(grid):
        return []
    where = grid.at(result.trade_rows[:, CLOSED])
    found = []
    for column in attributed(result, plan.weights).T[: len(plan.seats)]:
        sums = np.zeros(len(grid), np.int64)
        np.add.at(sums, where, column)
        found.append(changes((np.cumsum(sums) + scale // 2) // scale))
    largest = sorted(range(len(found)), key=lambda seat: -abs(found[seat][-1][1]))[:MOST_CURVES]
    return [curve if seat in largest else [] for seat, curve in enumerate(found)]


def _instrument(  # noqa: PLR0913 - what is drawn
    plan: RunPlan, result: RunResult, actions: Actions, grid: Grid, k: int, begun: tuple[int, int] | None
) -> dict[str, Any]:
    """One instrument: candles, fills, bracket levels, position and stances."""
    instrument = plan.bars[k].instrument
    groups, candles = grid.candles(plan.ticks[k])
    opened, high, low, close = candles
    exponent = instrument.tick.normalize().as_tuple().exponent
    return {
        "symbol": instrument.symbol,
        "tick": str(instrument.tick),
        "lot": str(instrument.lot),
        "decimals": max(0, -int(exponent)),
        "groups": None if len(groups) == len(grid) else deltas(groups),
        "close": deltas(close),
        "open": (opened - close).tolist(),
        "high": (high - close).tolist(),
        "low": (close - low).tolist(),
        "fills": fills_of(result, grid, k),
        "levels": levels_of(result, grid, k),
        "position": changes(position_of(result, grid, k, begun)),
        "stances": [
            _stance(columns, plan.ticks[k].open_ns, grid, shortable=instrument.shortable) for columns in actions[k]
        ],
    }


def fills_of(result: RunResult, grid: Grid, k: int) -> list[list[int]]:
    """``[group, side, purpose, ticks, lots, order]`` of every fill of an instrument."""
    if not len(result.fills):
        return []
    order = result.orders[np.searchsorted(result.orders[:, 0], result.fills[:, 0])]
    mine = order[:, _AT["instrument"]] == k
    fills, order = result.fills[mine], order[mine]
    columns = (grid.at(fills[:, 1]), order[:, _AT["side"]], purpose(order), fills[:, 3], fills[:, 2], fills[:, 0])
    rows: list[list[int]] = np.column_stack(columns).tolist()
    return rows


def levels_of(result: RunResult, grid: Grid, k: int) -> list[list[int]]:
    """``[first group, last group, purpose, ticks]`` of every stop and target while it worked."""
    orders = result.orders
    kept = (orders[:, _AT["instrument"]] == k) & ((orders[:, _AT["flags"]] & OrderFlags.PROTECTIVE) != 0)
    orders = orders[kept]
    if not len(orders):
        return []
    end = np.where(orders[:, _AT["end_ns"]] > 0, orders[:, _AT["end_ns"]], result.times_ns[-1])
    what = purpose(orders)
    price = np.where(what == STOP, orders[:, _AT["trigger"]], orders[:, _AT["limit"]])
    rows: list[list[int]] = np.column_stack((grid.at(orders[:, _AT["decided_ns"]]), grid.at(end), what, price)).tolist()
    return rows


def purpose(orders: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> I1:
    """What orders were for: ENTRY, EXIT, STOP or TARGET."""
    flags, kind = orders[:, _AT["flags"]], orders[:, _AT["kind"]]
    guard = np.where(kind == OrderKind.LIMIT, TARGET, STOP)
    rest = np.where(flags & OrderFlags.REDUCE_ONLY, EXIT, ENTRY)
    found: I1 = np.where(flags & OrderFlags.PROTECTIVE, guard, rest)
    return found


def position_of(result: RunResult, grid: Grid, k: int, begun: tuple[int, int] | None) -> I1:
    """Side of the trade that is open at the end of each group, 0 for none (dust is none): int64[N].

    :param begun: of the trade that is still open (``still_open``).
    """
    ends, mine = result.times_ns[grid.last], result.trade_rows[result.trade_rows[:, 0] == k]
    held = np.zeros(len(grid) + 1, np.int64)
    np.add.at(held, np.searchsorted(ends, mine[:, _OPENED]), mine[:, _TRADE_SIDE])
    np.add.at(held, np.searchsorted(ends, mine[:, CLOSED]), -mine[:, _TRADE_SIDE])
    if begun is not None:
        held[np.searchsorted(ends, begun[0])] += begun[1]
    side: I1 = np.cumsum(held[:-1])
    return side


def _stance(columns: ActionColumns | None, open_ns: I1, grid: Grid, *, shortable: bool) -> list[list[int]] | None:
    """``[group, target]`` where an agent's target changes; None where it was not kept."""
    if columns is None:
        return None
    target, present = stance(columns, shortable=shortable)
    shown = np.full(len(grid), NO_STANCE, np.int64)
    shown[grid.at(open_ns)] = np.where(present, target, NO_STANCE)  # the last bar of a group stays
    return changes(shown)


def largest_trades(result: RunResult, count: int = 5) -> list[dict[str, str]]:
    """The best and the worst closed trades, as text by column, best first."""
    columns = {column.name: column.texts() for column in trades(result)}
    ranked = np.argsort(-result.trade_rows[:, 5], kind="stable").tolist()
    chosen: Sequence[int] = ranked if len(ranked) <= 2 * count else [*ranked[:count], *ranked[-count:]]
    return [{name: values[row] for name, values in columns.items()} for row in chosen]
