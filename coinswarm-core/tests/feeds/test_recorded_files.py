"""Every recorded file imports with exactly the gaps that the table of the recordings states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coinswarm.clock import iso
from coinswarm.feeds.files import load_bars

pytestmark = pytest.mark.integration

TABLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "README.md"
ROW = re.compile(
    r"^\| `ohlcv/(?P<name>[^`]+)` \|.*missing (?P<missing>\d+) bars \((?P<share>[\d.]+)%\), "
    r"longest gap (?P<gap>[\d.]+) h \| (?P<rows>\d+) \| (?P<first>[\d: -]+) → (?P<last>[\d: -]+) \|"
)


@dataclass(frozen=True)
class Stated:
    """One row of the table."""

    name: str
    rows: int
    missing: int
    share: str
    gap_h: str
    first: str
    last: str


def stated() -> list[Stated]:
    """The rows of the table; none where the recordings are not beside the repository."""
    if not TABLE.is_file():
        return []
    matches = filter(None, map(ROW.match, TABLE.read_text().splitlines()))
    return [
        Stated(m["name"], int(m["rows"]), int(m["missing"]), m["share"], m["gap"], m["first"], m["last"])
        for m in matches
    ]


def minute(ns: int) -> str:
    """``2017-01-01 00:04``, as the table writes it."""
    return iso(ns)[:16].replace("T", " ")


@pytest.mark.parametrize("row", stated(), ids=lambda row: row.name)
def test_the_import_reports_what_the_table_states(row: Stated, shared_ohlcv: Path) -> None:
    ftx = row.name.startswith("ftx")
    options: dict[str, Any] = {"stamp": "close", "volume": "quote"} if ftx else {}
    report = load_bars(shared_ohlcv / row.name, **options).report
    assert (report.rows, report.missing) == (row.rows, row.missing)
    assert round(100 * report.missing_share, 2) == float(row.share)
    # The table counts from the open of the bar before the gap to the open of the bar after it.
    assert round(report.longest_gap_ns / 3.6e12, 2) == float(row.gap_h)
    shift = report.bar_ns if ftx else 0  # the table gives that file's times as they stand: close times
    assert (minute(report.first_ns + shift), minute(report.last_ns + shift)) == (row.first, row.last)


def test_the_table_names_every_file(shared_ohlcv: Path) -> None:
    rows = stated()
    assert {row.name for row in rows} == {path.name for path in shared_ohlcv.glob("*.csv.gz")}
    assert len(rows) == 16


@pytest.mark.parametrize("name", ["XRP_ETH-1m.feather", "XRP_ETH-5m.feather", "XRP_USDT_USDT-1h-futures.feather"])
def test_feather_files_of_freqtrade(name: str, shared_ohlcv: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    rows = {"XRP_ETH-1m.feather": 2469, "XRP_ETH-5m.feather": 706, "XRP_USDT_USDT-1h-futures.feather": 100}
    loaded = load_bars(shared_ohlcv.parent / "ticks" / "freqtrade" / name)
    assert loaded.report.rows == rows[name]
    assert loaded.bars.instrument.symbol == name[:8].rstrip("-").replace("_", "/").rstrip("/")


def test_raw_answers_of_bitfinex_need_their_order_declared(shared_ohlcv: Path) -> None:
    folder = shared_ohlcv.parent / "exchange_payloads" / "bitfinex_candles_raw"
    recorded = load_bars(shared_ohlcv / "bitfinex_BTCUSD_1m_2018.csv.gz").bars
    for path in sorted(folder.glob("*.json")):
        order = ["time", "open", "close", "high", "low", "volume"]
        bars = load_bars(path, symbol="BTC/USD", columns=order).bars
        first = int(recorded.open_ns.searchsorted(bars.open_ns[0]))
        same = recorded[first : first + len(bars)]
        assert bars.open_ns.tolist() == same.open_ns.tolist()
        assert bars.low.tolist() == same.low.tolist()
        assert bars.volume.tolist() == same.volume.tolist()
