"""A run as pandas DataFrames: times are aware UTC, prices in quote, quantities in base, money in the currency.

pandas is imported when a frame is asked for, never by a command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.report.charts import drawdown
from coinswarm.backtest.report.stances import stance
from coinswarm.backtest.tables import equity, table
from coinswarm.clock import DAY_NS
from coinswarm.domain.action import INVALID_REASON, MAX_BP, Side
from coinswarm.domain.instrument import MONEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from coinswarm.backtest.report.facts import Facts
    from coinswarm.backtest.tables import Column
    from coinswarm.domain.action import ActionColumns
    from coinswarm.domain.market import Bars
    from coinswarm.engine.plan import SeatedAgent
    from coinswarm.engine.result import RunResult

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]


def frame(columns: Sequence[Column]) -> pd.DataFrame:
    """A table as a DataFrame; no time is NaT, no amount NaN."""
    import pandas as pd  # noqa: PLC0415 - only who asks for a frame pays for pandas

    return pd.DataFrame({column.name: _series(column) for column in columns})


def table_frame(result: RunResult, name: str) -> pd.DataFrame:
    """One of the tables of ``coinswarm runs export``."""
    return frame(table(result, name))


def equity_frame(of: Facts) -> pd.DataFrame:
    """Per mark, by the time it is made: equity and exposure in money, drawdown as a share, buy-and-hold's equity."""
    found = frame(equity(of.result)).set_index("time")
    found["drawdown"] = drawdown(of.result)
    found["buy_and_hold"] = of.benchmark.equity / MONEY
    return found


def daily_frame(of: Facts) -> pd.DataFrame:
    """Per measured UTC day: equity at its end, return, mean exposure as a share, share of its marks with a position."""
    import pandas as pd  # noqa: PLC0415

    days = of.days
    marks = np.maximum(days.marks, 1.0)
    return pd.DataFrame(
        {
            "equity": days.equity / MONEY,
            "return": days.returns,
            "exposure": days.exposure / marks,
            "in_the_market": days.exposed / marks,
        },
        index=pd.Index(moments(days.day * DAY_NS), name="day"),
    )


def summary_frame(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Measures by name: value, interval, buy-and-hold, the difference to it, unit; shares are fractions."""
    import pandas as pd  # noqa: PLC0415

    def part(measure: Mapping[str, Any], key: str, of: str) -> float | None:
        value: float | None = (measure[key] or {}).get(of)
        return value

    rows = [
        {
            "measure": m["name"],
            "value": m["value"],
            "low": m["low"],
            "high": m["high"],
            "buy_and_hold": part(m, "benchmark", "value"),
            "difference": part(m, "difference", "value"),
            "difference_low": part(m, "difference", "low"),
            "difference_high": part(m, "difference", "high"),
            "unit": m["unit"],
        }
        for m in summary["measures"]
    ]
    numbers = dict.fromkeys(set(rows[0]) - {"measure", "unit"}, "float64")
    return pd.DataFrame(rows).astype(numbers).set_index("measure")


def actions_frame(of: Facts) -> pd.DataFrame:
    """What every agent said at every bar: one row per bar, instrument and agent that was heard.

    ``time`` is when the bar became known, ``target`` the stance in force: -1 (short) to 1 (long).
    """
    import pandas as pd  # noqa: PLC0415

    parts = [
        _actions(bars, seat, columns)
        for bars, row in zip(of.plan.bars, of.actions, strict=True)
        for seat, columns in zip(of.plan.seats, row, strict=True)
        if columns is not None
    ]
    names = ["time", "instrument", "agent", "action", "confidence", "size", "stop_distance", "take_distance"]
    if not parts:
        return pd.DataFrame(columns=[*names, "target", "reason"])
    return pd.concat(parts, ignore_index=True)


def bars_frame(bars: Bars) -> pd.DataFrame:
    """Bars by their open times."""
    import pandas as pd  # noqa: PLC0415

    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame(
        {name: np.array(getattr(bars, name)) for name in names}, index=pd.Index(moments(bars.open_ns), name="open_time")
    )


def moments(times_ns: I1) -> pd.DatetimeIndex:
    """Nanoseconds since the epoch as aware UTC times."""
    import pandas as pd  # noqa: PLC0415

    return pd.DatetimeIndex(np.asarray(times_ns).astype("datetime64[ns]"), tz="UTC")


def _series(column: Column) -> Any:  # noqa: ANN401 - an array or an index, as the kind asks for
    """One column as pandas takes it."""
    import pandas as pd  # noqa: PLC0415

    if column.kind == "time":
        stamps = column.numbers.astype("datetime64[ns]")
        stamps[column.numbers == 0] = np.datetime64("NaT")
        return pd.DatetimeIndex(stamps, tz="UTC")
    if column.kind == "amount":
        return column.floats()
    if column.kind == "text":
        return pd.Series(column.texts(), dtype=str)  # the same type where there is no row
    if column.kind == "flag":
        return column.numbers != 0
    if column.absent is None:
        return column.numbers
    return pd.arrays.IntegerArray(np.array(column.numbers), np.array(column.absent))


def _actions(bars: Bars, seat: SeatedAgent, columns: ActionColumns) -> pd.DataFrame:
    """One agent on one instrument."""
    import pandas as pd  # noqa: PLC0415

    tick = float(bars.instrument.tick)
    target, present = stance(columns, shortable=bars.instrument.shortable)
    side = np.where(present, columns.direction, Side.ABSTAIN)
    words = {0: "", **dict(enumerate(seat.reasons)), INVALID_REASON: "numbers not valid"}
    return pd.DataFrame(
        {
            "time": moments(bars.open_ns + bars.length_ns),
            "instrument": bars.instrument.symbol,
            "agent": seat.name,
            "action": [Side(code).name for code in side.tolist()],
            "confidence": np.where(present, columns.confidence_bp / MAX_BP, np.nan),
            "size": columns.size_bp / MAX_BP,
            "stop_distance": np.where(columns.stop_ticks > 0, columns.stop_ticks * tick, np.nan),
            "take_distance": np.where(columns.take_ticks > 0, columns.take_ticks * tick, np.nan),
            "target": np.where(present, target / MAX_BP, np.nan),
            "reason": [words.get(code, str(code)) for code in columns.reason.tolist()],
        }
    )
