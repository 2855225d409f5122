"""Columns path = step path on every recorded file: orders, fills, equity, decisions, trades (S7, S12-S16).

Hourly and 5-minute files and the month of FTX are whole. Of the four 1-minute files, each a year of about half a
million bars, three windows of 60,000 bars are run: the first, the one from bar 70,000 (in 2017 it holds the ETF
decision of 10 March), and the last. ``test_paper_replay.py`` runs the same session over all of them whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm.runtime.assembly import assemble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

pytestmark = pytest.mark.backtest

WINDOW = 60_000
WHOLE = (
    "binance_BNBUSDT_1h_2021-04_2022-12.csv.gz",
    "binance_BTCUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_BTCUSDT_5m_2020-12_2021-07.csv.gz",
    "binance_DOGEUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_ETHUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_ETHUSDT_5m_2020-12_2021-07.csv.gz",
    "binance_SOLUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_XRPUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_XRPUSDT_5m_2020-12_2021-07.csv.gz",
    "bitstamp_BTCUSD_1h_2018-05_2018-12.csv.gz",
    "bitstamp_BTCUSD_1h_2020-01_2022-02.csv.gz",
    "ftx_BTC-PERP_1m_2022-01.csv.gz",
)
IN_WINDOWS = (
    "bitfinex_BTCUSD_1m_2017.csv.gz",
    "bitfinex_BTCUSD_1m_2018.csv.gz",
    "bitfinex_ETHUSD_1m_2017.csv.gz",
    "bitfinex_ETHUSD_1m_2018.csv.gz",
)
WINDOWS = {"first": slice(0, WINDOW), "from-70000": slice(70_000, 70_000 + WINDOW), "last": slice(-WINDOW, None)}
SHORTING = ("instruments.0.shortable=true", "risk.drawdown_bp=0", "risk.cool_down_bars=5", "orders.trailing=true")
"""So that nothing stops entries for good, and both sides are traded."""
TABLES = ("orders", "fills", "reference", "times_ns", "equity", "exposure_units", "decisions", "trade_rows")


def part(plan: RunPlan, rows: slice) -> RunPlan:
    """The plan on some of its bars."""
    return replace(plan, bars=tuple(bars[rows] for bars in plan.bars), ticks=())


def assert_same(plan: RunPlan) -> RunResult:
    """Both engines give the same record, and it holds trades."""
    columns, steps = run_columns(plan), run_steps(plan)
    for name in TABLES:
        assert np.array_equal(getattr(columns, name), getattr(steps, name)), f"{name} differ"
    assert (columns.costs, columns.errors) == (steps.costs, steps.errors)
    assert columns.order_hash == steps.order_hash
    assert len(columns.trades) > 10
    return columns


def test_every_recorded_file_is_named_here(recorded: Callable[[str], Path]) -> None:
    assert sorted(path.name for path in recorded(WHOLE[0]).parent.glob("*.gz")) == sorted((*WHOLE, *IN_WINDOWS))


@pytest.mark.parametrize("overrides", [(), SHORTING], ids=["template", "shorting"])
@pytest.mark.parametrize("name", WHOLE)
def test_on_whole_files(
    recorded: Callable[[str], Path], profile_of: Callable[..., Any], name: str, overrides: tuple[str, ...]
) -> None:
    result = assert_same(assemble(profile_of(recorded(name), *overrides), label=name).plan)
    assert {t.side for t in result.trades} == ({1, -1} if overrides else {1})


@pytest.mark.parametrize("name", IN_WINDOWS)
def test_on_windows(recorded: Callable[[str], Path], profile_of: Callable[..., Any], name: str) -> None:
    plan = assemble(profile_of(recorded(name)), label=name).plan
    shorting = assemble(profile_of(recorded(name), *SHORTING), label=name).plan
    for window in WINDOWS.values():
        assert_same(part(plan, window))
        assert {t.side for t in assert_same(part(shorting, window)).trades} == {1, -1}
