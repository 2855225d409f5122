"""The paper replay of a recording is its backtest, by order hash: every file, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.runtime.runs import backtest
from coinswarm.runtime.trade import trade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.backtest

FILES = (
    "binance_BNBUSDT_1h_2021-04_2022-12.csv.gz",
    "binance_BTCUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_BTCUSDT_5m_2020-12_2021-07.csv.gz",
    "binance_DOGEUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_ETHUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_ETHUSDT_5m_2020-12_2021-07.csv.gz",
    "binance_SOLUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_XRPUSDT_1h_2020-12_2022-12.csv.gz",
    "binance_XRPUSDT_5m_2020-12_2021-07.csv.gz",
    "bitfinex_BTCUSD_1m_2017.csv.gz",
    "bitfinex_BTCUSD_1m_2018.csv.gz",
    "bitfinex_ETHUSD_1m_2017.csv.gz",
    "bitfinex_ETHUSD_1m_2018.csv.gz",
    "bitstamp_BTCUSD_1h_2018-05_2018-12.csv.gz",
    "bitstamp_BTCUSD_1h_2020-01_2022-02.csv.gz",
    "ftx_BTC-PERP_1m_2022-01.csv.gz",
)


@pytest.mark.parametrize("name", FILES)
def test_a_paper_replay_is_the_backtest(
    recorded: Callable[[str], Path], profile_of: Callable[..., Any], name: str, certify: Callable[..., Path]
) -> None:
    path = recorded(name)
    for plugin in ("trend", "meanrev"):
        certify(plugin)
    paper = profile_of(path, template="paper")
    as_backtest = profile_of(path, 'mode="backtest"', f'instruments.0.file="{path}"', template="paper")
    replayed = trade(paper, label=name, recordings={"BTC/USD": path}, runs=None)
    run = backtest(as_backtest, label=name, runs=None)
    assert replayed.result.order_hash == run.result.order_hash
    assert replayed.summary == run.summary
    assert len(run.result.trades) > 10
