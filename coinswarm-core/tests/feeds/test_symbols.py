"""Pairs out of file names."""

from __future__ import annotations

import pytest

from coinswarm.errors import DataError
from coinswarm.feeds.symbols import check_symbol, guess_symbol


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("bitfinex_BTCUSD_1m_2017.csv.gz", "BTC/USD"),
        ("binance_DOGEUSDT_1h_2020-12_2022-12.csv.gz", "DOGE/USDT"),
        ("XRP_ETH-1m.feather", "XRP/ETH"),
        ("XRP_USDT_USDT-1h-futures.feather", "XRP/USDT"),
        ("BTC-USD.csv", "BTC/USD"),
        ("ftx_BTC-PERP_1m_2022-01.csv.gz", "BTC-PERP/USD"),
        ("ETHBTC-1h.csv", "ETH/BTC"),
        ("BTCFDUSD.csv", "BTC/FDUSD"),
        ("BNBUSD.csv", "BNB/USD"),
        ("DOTUSD.csv", "DOT/USD"),
        ("BTCTUSD.csv", "BTC/TUSD"),
        ("USDTUSD.csv", "USDT/USD"),
        ("NEWTUSD.csv", None),  # NEW/TUSD or NEWT/USD
        ("1H_USD.csv", None),
        ("Bitstamp_BTCUSD_d.csv", "BTC/USD"),
        ("bars.csv", None),
        ("btcusd.csv", None),
        ("BTCUSD_vs_ETHUSD.csv", None),
        ("2017USD.csv", None),
    ],
)
def test_guess(name: str, symbol: str | None) -> None:
    assert guess_symbol(name) == symbol


@pytest.mark.parametrize("symbol", ["BTC/USD", "BTC-PERP/USD", "XRP/USDT:USDT"])
def test_a_pair_passes(symbol: str) -> None:
    assert check_symbol(symbol) == symbol


@pytest.mark.parametrize("symbol", ["", "BTC", "/USD", "BTC/", "A/B/C", "BTC /USD", "../x/USD"])
def test_anything_else_is_refused(symbol: str) -> None:
    with pytest.raises(DataError, match=r"is not BASE/QUOTE"):
        check_symbol(symbol)


def test_a_joined_pair_is_answered_with_the_parted_one() -> None:
    with pytest.raises(DataError, match=r"did you mean 'BTC/USD'"):
        check_symbol("btcusd")
