"""Parquet and Feather hold the same bars as text."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.clock import HOUR_NS
from coinswarm.errors import DataError
from coinswarm.feeds.files import load_bars

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2018, 1, 1, tzinfo=UTC)


def columns(**changes: list[object]) -> dict[str, list[object]]:
    table: dict[str, list[object]] = {
        "date": [START + timedelta(hours=hour) for hour in range(3)],
        "open": [10.5] * 3,
        "high": [12.0] * 3,
        "low": [9.25] * 3,
        "close": [11.0] * 3,
        "volume": [5.0] * 3,
    }
    return table | changes


def write(folder: Path, table: dict[str, list[object]], name: str) -> Path:
    pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    path = folder / name
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow.parquet").write_table(pa.table(table), path)
    else:
        pytest.importorskip("pyarrow.feather").write_feather(pa.table(table), str(path))
    return path


@pytest.mark.parametrize("name", ["BTC_USD-1h.parquet", "BTC_USD-1h.feather"])
@pytest.mark.parametrize(
    "times",
    [
        [START + timedelta(hours=hour) for hour in range(3)],
        [(START + timedelta(hours=hour)).replace(tzinfo=None) for hour in range(3)],
        [(START + timedelta(hours=hour)).isoformat() for hour in range(3)],
        [1_514_764_800_000 + 3_600_000 * hour for hour in range(3)],
        [1_514_764_800.0 + 3_600 * hour for hour in range(3)],
    ],
)
def test_every_kind_of_time(name: str, times: list[object], tmp_path: Path) -> None:
    loaded = load_bars(write(tmp_path, columns(date=times), name))
    assert loaded.bars.open_ns.tolist() == [1_514_764_800 * 10**9 + HOUR_NS * hour for hour in range(3)]
    assert loaded.bars.low.tolist() == [9.25] * 3
    assert (str(loaded.bars.instrument.tick), str(loaded.bars.instrument.lot)) == ("0.01", "1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"open": ["a", "b", "c"]}, "column 'open' does not hold numbers"),
        ({"open": [1.0, None, 1.0]}, r"not a finite number in 1 row \(row 2\)"),
        ({"date": [START, None, START]}, "1 times are missing"),
        ({"date": ["x", "y", "z"]}, "row 1: 'x' is not an ISO 8601 date"),
        ({"date": [datetime(9999, 12, 31)] * 3}, "its times cannot be read .*: write years from 1678 to 2261"),  # noqa: DTZ001
        ({"date": ["9999-12-31"] * 3}, "row 1: '9999-12-31' is too far away"),
        ({"symbol": ["BTC/USD", "BTC/USD", "ETH/USD"]}, r"holds 2 pairs \(BTC/USD, ETH/USD\): give one file per pair"),
        ({"pair": ["BTC/USD", None, "BTC/USD"]}, "holds 2 pairs"),
    ],
)
def test_bad_columns(changes: dict[str, list[object]], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        load_bars(write(tmp_path, columns(**changes), "BTCUSD.parquet"))


def test_the_pair_comes_from_its_column_before_the_files_name(tmp_path: Path) -> None:
    for given, name in (("ETH/USD", "prices.parquet"), ("ethusd", "BTCUSD.feather")):
        loaded = load_bars(write(tmp_path, columns(symbol=[given] * 3), name))
        assert (loaded.bars.instrument.symbol, loaded.report.symbol_guessed) == ("ETH/USD", False)
    table = columns(symbol=["ETHBTC"] * 3)
    table["Volume BTC"] = table.pop("volume")
    with pytest.raises(DataError, match="named after the quote currency: pass --volume quote"):
        load_bars(write(tmp_path, table, "prices.parquet"))


@pytest.mark.parametrize("name", ["BTCUSD.parquet", "BTCUSD.feather"])
def test_single_precision_has_the_decimals_of_its_text(name: str, tmp_path: Path) -> None:
    single: dict[str, Any] = {key: np.array([100.1, 0.07, 65_432.25], np.float32) for key in ("open", "close")}
    table = columns(**{**single, "high": [70_000.5] * 3, "low": [0.01] * 3})
    table["volume"] = np.array([1e-8, 12_345.5, 3e4], np.float32)  # type: ignore[assignment]
    loaded = load_bars(write(tmp_path, table, name), lot=Decimal(1))
    assert loaded.bars.close.tolist() == [100.1, 0.07, 65_432.25]
    assert loaded.bars.volume.tolist() == [1e-8, 12_345.5, 3e4]
    assert (loaded.bars.instrument.tick, loaded.report.off_tick) == (Decimal("0.01"), 0)
    table["open"] = pytest.importorskip("pyarrow").array([1.0, None, 1.0], "float32")
    with pytest.raises(DataError, match=r"not a finite number in 1 row \(row 2\)"):
        load_bars(write(tmp_path, table, name))


def test_a_missing_column_and_no_rows(tmp_path: Path) -> None:
    table = columns()
    table["vulome"] = table.pop("volume")
    with pytest.raises(DataError, match=r"no volume column.*did you mean 'vulome'"):
        load_bars(write(tmp_path, table, "BTCUSD.parquet"))
    with pytest.raises(DataError, match=r"columns but no rows"):
        load_bars(write(tmp_path, {name: values[:0] for name, values in columns().items()}, "BTCUSD.feather"))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "BTCUSD.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"needs pyarrow: pip install 'coinswarm-core\[parquet\]'"):
        load_bars(path)
