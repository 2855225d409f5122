"""The sample that ships is what its script makes of the minutes."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.clock import HOUR_NS, MINUTE_NS
from coinswarm.feeds.files import load_bars, sample, sample_names

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "make_sample.py"


@pytest.fixture
def script() -> Any:  # noqa: ANN401 - a script is no module that a type could name
    if not SCRIPT.is_file():
        pytest.skip("the script is in the repository only")
    spec = importlib.util.spec_from_file_location("make_sample", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_the_ones_that_were_published() -> None:
    digests = {
        symbol: hashlib.sha256(gzip.decompress(sample(symbol).read_bytes())).hexdigest() for symbol in sample_names()
    }
    assert digests == {
        "BTC/USD": "f88ee4ba8b079bee229a1ff36ee6ccaff9d08e89172aee0d30ca7af1521fd99c",
        "ETH/USD": "76fbae7d242eb0ce41c55745ae8f467c51c8275dc496e08786a13f4b7390e1f2",
    }


def test_the_attribution_is_beside_the_files_and_they_are_small() -> None:
    folder = sample("BTC/USD").parent
    text = (folder / "README.md").read_text()
    for needed in ("Zombie-3000/Bitfinex-historical-data", "provided as-is, for public use", "tools/make_sample.py"):
        assert needed in " ".join(text.split())
    assert sum(entry.stat().st_size for entry in folder.iterdir() if entry.is_file()) < 1_500_000


@pytest.mark.parametrize("symbol", sample_names())
def test_holes_are_marked(symbol: str) -> None:
    path = sample(symbol)
    minutes = np.loadtxt(path, delimiter=",", skiprows=1, usecols=6)
    report = load_bars(path).report
    assert len(minutes) == report.rows
    assert (minutes.min() >= 1, minutes.max() == 60) == (True, True)
    missing = {"BTC/USD": (0, 55), "ETH/USD": (18, 1737)}
    assert (report.missing, int((minutes < 30).sum())) == missing[symbol]


def test_an_hour_is_made_of_the_minutes_that_exist(script: Any, write: Callable[..., Path]) -> None:  # noqa: ANN401
    start = 1_514_764_800_000
    rows = [
        *(f"{start + 59 * 60_000},10,12,9,11,0.1", f"{start + 60 * 60_000},11,13.5,10,12,0.2"),
        *(f"{start + 61 * 60_000},12,12,8,9,1e-8", f"{start + 300 * 60_000},9,9,9,9,3"),
    ]
    path = write(["timestamp_ms,open,high,low,close,volume", *rows], "BTCUSD_1m.csv")
    assert script.hours(path, "BTC/USD") == [
        f"{start},10,12,9,11,0.1,1",
        f"{start + 3_600_000},11,13.5,8,9,0.20000001,2",
        f"{start + 5 * 3_600_000},9,9,9,9,3,1",
    ]


@pytest.mark.integration
@pytest.mark.parametrize("symbol", sample_names())
def test_the_script_makes_the_sample(symbol: str, script: Any, shared_ohlcv: Path) -> None:  # noqa: ANN401
    assert script.build(shared_ohlcv, symbol).encode() == gzip.decompress(sample(symbol).read_bytes())


@pytest.mark.integration
def test_hours_agree_with_minutes(shared_ohlcv: Path) -> None:
    minutes = load_bars(shared_ohlcv / "bitfinex_ETHUSD_1m_2017.csv.gz", bar_ns=MINUTE_NS).bars
    hours = load_bars(sample("ETH/USD")).bars
    for row in range(0, 8_000, 97):
        inside = minutes.open_ns // HOUR_NS * HOUR_NS == hours.open_ns[row]
        assert hours.open[row] == minutes.open[inside][0]
        assert hours.high[row] == minutes.high[inside].max()
        assert hours.low[row] == minutes.low[inside].min()
        assert hours.close[row] == minutes.close[inside][-1]
        assert hours.volume[row] == pytest.approx(minutes.volume[inside].sum(), abs=1e-8)
