"""Which column is taken for what, through whole files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.clock import HOUR_NS, iso
from coinswarm.errors import DataError
from coinswarm.feeds.files import load_bars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 1_514_764_800
LAYOUTS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "plain": (["timestamp,open,high,low,close,volume", "{s},10,12,9,11,5"], {}),
    "upper case, dates": (["Date,Open,High,Low,Close,Volume", "{d},10,12,9,11,5"], {}),
    "letters": (["t;o;h;l;c;v", "{ms};10;12;9;11;5"], {}),
    "tabs, other order": (["volume\tclose\tlow\thigh\topen\tdatetime", "5\t11\t9\t12\t10\t{d}"], {}),
    "pandas index": ([",open_time,open,high,low,close,volume,trades", "0,{us},10,12,9,11,5,77"], {}),
    "quoted": (['"time","open","high","low","close","volume"', '"{ns}","10","12","9","11","5"'], {}),
    "comment and byte order mark": (["\ufeff# made by hand", "#ts,open,high,low,close,volume", "{s},10,12,9,11,5"], {}),
    "Binance klines": (["{ms},10,12,9,11,5,{ms},55,3,2,22,0"], {}),
    "Kraken OHLCVT": (["{s},10,12,9,11,5,3"], {}),
    "plain without header": (["{ms},10,12,9,11,5"], {}),
    "Binance with header": (
        ["open_time,open,high,low,close,volume,close_time,quote_volume", "{ms},10,12,9,11,5,{ms},55"],
        {},
    ),
    "CryptoDataDownload": (
        [
            "https://www.CryptoDataDownload.com",
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD",
            "{s},{d},BTC/USD,10,12,9,11,5,55",
        ],
        {},
    ),
    "volumes in brackets": (
        ["Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency)", "{s},10,12,9,11,5,55"],
        {},
    ),
    "quote volume asked for": (
        ["time,open,high,low,close,volume,quote_volume", "{s},10,12,9,11,7,55"],
        {"volume": "quote"},
    ),
    "declared order": (
        ["{s},10,11,12,9,x,5"],
        {"columns": ["time", "open", "close", "high", "low", "-", "volume"]},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_bars(name: str, write: Callable[..., Path]) -> None:
    lines, options = LAYOUTS[name]
    times = [
        {"s": s, "ms": s * 1000, "us": s * 10**6, "ns": s * 10**9, "d": iso(s * 10**9)[:-1].replace("T", " ")}
        for s in (SECONDS, SECONDS + 3600)
    ]
    *top, row = lines
    path = write([*top, *(row.format(**time) for time in times)])
    bars = load_bars(path, **options).bars
    assert bars.open_ns.tolist() == [SECONDS * 10**9, (SECONDS + 3600) * 10**9]
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    assert [column.tolist() for column in columns] == [[value] * 2 for value in (10, 12, 9, 11, 5)]
    assert (bars.length_ns, bars.instrument.symbol) == (HOUR_NS, "BTC/USD")


def test_rows_of_json(write: Callable[..., Path]) -> None:
    rows = [[(SECONDS + 60 * number) * 1000, 10.5, 12, 9.25, 11, 5] for number in range(3)]
    loaded = load_bars(write([json.dumps(rows)], "BTC_USDT-1m.json"))
    assert loaded.bars.low.tolist() == [9.25] * 3
    assert loaded.report.price_decimals == 2


def test_rows_of_json_in_another_order_are_refused_unless_declared(write: Callable[..., Path]) -> None:
    # Bitfinex answers [time, open, close, high, low, volume].
    path = write([json.dumps([[(SECONDS + 60 * number) * 1000, 10, 11, 12, 9, 5] for number in range(3)])])
    with pytest.raises(DataError, match=r"high below low in 3 rows.*declare another with coinswarm data"):
        load_bars(path)
    bars = load_bars(path, columns=["time", "open", "close", "high", "low", "volume"]).bars
    assert (bars.high[0], bars.low[0], bars.close[0]) == (12, 9, 11)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("timestamp,open,high,low,close,vulome", "no volume column .*did you mean 'vulome'"),
        ("timestamp,open,high,low,price,volume", "no close column"),
        ("when,open,high,low,close,volume", "no time column"),
        (
            "date,time,open,high,low,close,volume",
            "'date' and 'time' may both be the time column: say which with coinswarm",
        ),
        ("time,open,high,low,close,volume,vol", "'volume' and 'vol' may both be the volume column"),
        (
            "close_time,open,high,low,close,volume",
            "named after the close of the bar: pass --stamp close to coinswarm",
        ),
        (
            "time,open,high,low,close,Volume USD",
            "named after the quote currency: pass --volume quote to coinswarm",
        ),
        (
            "time,open,high,low,close,turnover",
            "named after the quote currency: pass --volume quote to coinswarm",
        ),
    ],
)
def test_a_header_that_leaves_doubt_is_refused(header: str, message: str, write: Callable[..., Path]) -> None:
    row = ",".join(["1514764800"] * 2 + ["10"] * 9).split(",")[-len(header.split(",")) :]
    row[0] = "1514764800"
    with pytest.raises(DataError, match=message):
        load_bars(write([header, ",".join(row)]), bar_ns=HOUR_NS)


@pytest.mark.parametrize("symbol", [None, "ETH/BTC"])
def test_a_volume_in_the_quote_of_the_pair_that_the_files_name_tells(
    symbol: str | None, write: Callable[..., Path]
) -> None:
    path = write(["time,open,high,low,close,Volume BTC", "1514764800,1,1,1,1,5"], "Gemini_ETHBTC_1h.csv")
    with pytest.raises(DataError, match="named after the quote currency: pass --volume quote"):
        load_bars(path, symbol=symbol, bar_ns=HOUR_NS)
    assert load_bars(path, symbol=symbol, bar_ns=HOUR_NS, volume="quote").report.volume_unit == "quote"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("time,open,high,low,close,vol", "--columns names 'vol': did you mean 'volume'"),
        ("time,open,high,low,close", "names 'volume' 0 times"),
        ("time,open,open,high,low,close,volume", "names 'open' 2 times"),
        ("time,open,high,low,close,volume,-,-", "names 8 columns, but BTCUSD_1h.csv, line 2 has 6"),
    ],
)
def test_a_wrong_declaration_is_refused(
    columns: str, message: str, write: Callable[..., Path], sound: list[str]
) -> None:
    with pytest.raises(DataError, match=message):
        load_bars(write(sound), columns=columns.split(","))


def test_an_unknown_number_of_columns_needs_names(write: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"has 8 columns and no header: name them with coinswarm data import --columns"):
        load_bars(write(["1514764800,10,12,9,11,5,1,2"]))
