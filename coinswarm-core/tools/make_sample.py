"""Build the sample that ships in ``coinswarm/data`` from 1-minute files of the Bitfinex recording.

    python tools/make_sample.py FOLDER [OUT]

FOLDER holds ``bitfinex_{BTCUSD,ETHUSD}_1m_{2017,2018}.csv.gz``; OUT is the package's data folder unless
given. An hour is built from the minutes that exist: open of the first, highest high, lowest low, close of
the last, sum of the volumes. ``minutes`` says how many there were; an hour without any is absent.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import gzip
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np

from coinswarm.clock import HOUR_NS, MINUTE_NS
from coinswarm.feeds.files import SAMPLES, load_bars

YEARS = (2017, 2018)
COINS = 100_000_000
"""Volumes are summed as whole numbers of 1e-8, so that the sum does not depend on how it is made."""


def plain(value: float) -> str:
    """The shortest decimal that reads back as ``value``, without exponent or trailing zeros."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def hours(path: Path, symbol: str) -> list[str]:
    """The CSV lines of one minute file, by hour."""
    bars = load_bars(path, symbol=symbol, bar_ns=MINUTE_NS).bars
    hour_ns = bars.open_ns - bars.open_ns % HOUR_NS
    first = np.flatnonzero(np.append(True, np.diff(hour_ns) > 0))
    last = np.append(first[1:], len(bars)) - 1
    volume = np.add.reduceat(np.rint(bars.volume * COINS).astype(np.int64), first)
    columns = zip(
        (hour_ns[first] // 1_000_000).tolist(),
        bars.open[first].tolist(),
        np.maximum.reduceat(bars.high, first).tolist(),
        np.minimum.reduceat(bars.low, first).tolist(),
        bars.close[last].tolist(),
        volume.tolist(),
        (last - first + 1).tolist(),
        strict=True,
    )
    return [
        f"{stamp},{plain(opened)},{plain(high)},{plain(low)},{plain(close)},"
        f"{f'{Decimal(coins).scaleb(-8):f}'.rstrip('0').rstrip('.')},{minutes}"
        for stamp, opened, high, low, close, coins, minutes in columns
    ]


def build(folder: Path, symbol: str) -> str:
    """The text of one sample file."""
    pair = symbol.replace("/", "")
    lines = ["timestamp_ms,open,high,low,close,volume,minutes"]
    for year in YEARS:
        lines += hours(folder / f"bitfinex_{pair}_1m_{year}.csv.gz", symbol)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1])
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent.parent / "src/coinswarm/data"  # noqa: PLR2004
    for symbol, name in SAMPLES.items():
        # Neither name nor time of day enters the archive: the same input gives the same bytes.
        (out / name).write_bytes(gzip.compress(build(folder, symbol).encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
