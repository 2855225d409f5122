"""``load_bars``: what is read, inferred, declared and reported."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.clock import HOUR_NS, MINUTE_NS, iso
from coinswarm.errors import DataError, UnknownNameError
from coinswarm.feeds.files import load_bars, sample, sample_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_sound_file(write: Callable[..., Path], sound: list[str]) -> None:
    path = write(sound)
    loaded = load_bars(path)
    bars, report = loaded.bars, loaded.report
    assert bars.open_ns.dtype == np.int64
    assert bars.close.tolist() == [101.0, 102.0, 103.0, 104.0, 105.0]
    assert (bars.instrument.symbol, bars.instrument.tick, bars.instrument.lot) == (
        *("BTC/USD", Decimal("0.01"), Decimal("0.001")),
    )
    assert (report.rows, report.missing, report.gaps, report.longest_gap_ns, report.zero_volume) == (5, 0, 0, 0, 0)
    assert (report.bar_ns, report.unit, report.off_tick) == (HOUR_NS, "ms", 0)
    assert (iso(report.first_ns), iso(report.last_ns)) == ("2018-01-01T00:00:00Z", "2018-01-01T04:00:00Z")
    assert (report.symbol_guessed, report.bar_inferred, report.tick_inferred, report.lot_inferred) == (True,) * 4
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_is_filled_and_gaps_are_counted(write: Callable[..., Path], sound: list[str]) -> None:
    del sound[3]
    loaded = load_bars(write(sound))
    assert np.diff(loaded.bars.open_ns).tolist() == [HOUR_NS, 2 * HOUR_NS, HOUR_NS]
    report = loaded.report
    assert (report.rows, report.missing, report.gaps, report.longest_gap_ns) == (4, 1, 1, 2 * HOUR_NS)
    assert report.missing_share == pytest.approx(0.2)


def test_close_times_move_back_by_one_bar(write: Callable[..., Path], sound: list[str]) -> None:
    opened, closed = load_bars(write(sound)), load_bars(write(sound), stamp="close")
    assert (opened.bars.open_ns - closed.bars.open_ns).tolist() == [HOUR_NS] * 5


def test_closes_of_the_last_millisecond_give_the_bars_of_their_opens(write: Callable[..., Path]) -> None:
    starts = range(1_514_764_800_000, 1_514_764_800_000 + 5 * 3_600_000, 3_600_000)
    rows = [f"{start},1,1,1,1,5,{start + 3_599_999}" for start in starts]
    path = write(["open_time,open,high,low,close,volume,close_time", *rows])
    opens, closes = load_bars(path), load_bars(path, stamp="close")
    assert closes.bars.open_ns.tolist() == opens.bars.open_ns.tolist()


def test_quote_volume_is_divided_by_the_close(write: Callable[..., Path], sound: list[str]) -> None:
    loaded = load_bars(write(sound), volume="quote")
    assert loaded.bars.volume.tolist() == (1.125 / loaded.bars.close).tolist()
    # Worth at most one quote unit at the highest price, 106.25: a thousandth is worth 0.106.
    assert loaded.bars.instrument.lot == Decimal("0.001")


def test_a_file_that_runs_backwards_is_turned_round(write: Callable[..., Path], sound: list[str]) -> None:
    forward, backward = load_bars(write(sound)), load_bars(write([sound[0], *sound[:0:-1]]))
    assert backward.report.newest_first
    assert backward.bars.open_ns.tolist() == forward.bars.open_ns.tolist()
    assert backward.bars.high.tolist() == forward.bars.high.tolist()


def test_what_is_declared_is_not_inferred(write: Callable[..., Path], sound: list[str]) -> None:
    loaded = load_bars(
        write(sound),
        symbol="ETH/EUR",
        bar_ns=HOUR_NS,
        tick=Decimal("0.5"),
        lot=Decimal("0.1"),
        min_notional=Decimal(10),
        shortable=True,
    )
    instrument, report = loaded.bars.instrument, loaded.report
    assert (instrument.symbol, instrument.tick, instrument.lot) == ("ETH/EUR", Decimal("0.5"), Decimal("0.1"))
    assert (instrument.min_notional, instrument.shortable) == (Decimal(10), True)
    assert (report.symbol_guessed, report.bar_inferred, report.tick_inferred, report.lot_inferred) == (False,) * 4
    # Of 5 bars, high (.25) and low (.75) are between ticks of 0.5.
    assert report.off_tick == 10


def test_eight_decimals_on_large_numbers_are_coarsened_until_they_fit(write: Callable[..., Path]) -> None:
    price, volume = "17252.12345678", "6717.12345678"
    rows = [f"{1_514_764_800 + 60 * n},{price},{price},{price},{price},{volume}" for n in range(2)]
    path = write(["time,open,high,low,close,volume", *rows])
    loaded = load_bars(path)
    assert loaded.report.price_decimals == 8
    assert loaded.bars.instrument.tick > Decimal("1E-8")
    assert loaded.report.off_tick == 8
    with pytest.raises(DataError, match=r"reaches 2\*\*62: choose a coarser tick or lot"):
        load_bars(path, tick=Decimal("1E-8"), lot=Decimal("1E-8"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bar_ns": MINUTE_NS}, "no two rows are 1m apart, most are 1h: leave out --bar, or pass --bar 1h"),
        ({"bar_ns": 24 * HOUR_NS}, "no two rows are 1d apart"),
        ({"bar_ns": 0}, "bar length 0 is not positive"),
        ({"tick": Decimal(0)}, "tick 0 is not positive"),
        ({"lot": Decimal(-1)}, "lot -1 is not positive"),
        ({"min_notional": Decimal(-1)}, "min_notional of BTC/USD is -1"),
        ({"symbol": "BTCUSD"}, "did you mean 'BTC/USD'"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str, write: Callable[..., Path], sound: list[str]) -> None:
    with pytest.raises(DataError, match=message):
        load_bars(write(sound), **options)


def test_a_name_without_a_pair_needs_a_symbol(write: Callable[..., Path], sound: list[str]) -> None:
    with pytest.raises(DataError, match=r"bars.csv does not tell which pair it holds: pass --symbol to coinswarm"):
        load_bars(write(sound, "bars.csv"))


def test_a_single_row_needs_a_bar_length(write: Callable[..., Path], sound: list[str]) -> None:
    with pytest.raises(DataError, match=r"single row.*pass --bar to coinswarm"):
        load_bars(write(sound[:2]))
    assert len(load_bars(write(sound[:2]), bar_ns=HOUR_NS).bars) == 1


def test_paths_that_lead_nowhere(write: Callable[..., Path], sound: list[str], tmp_path: Path) -> None:
    write(sound)
    with pytest.raises(DataError, match=r"did you mean 'BTCUSD_1h.csv'"):
        load_bars(tmp_path / "BTCUSD_1h.cvs")
    with pytest.raises(DataError, match=r"there is no file .*: check the path"):
        load_bars(tmp_path / "no" / "such")
    with pytest.raises(DataError, match=r"is a folder"):
        load_bars(tmp_path)
    with pytest.raises(DataError, match=r"cannot be read"):
        load_bars(tmp_path / "nul\0")


def test_the_sample_ships() -> None:
    assert sample_names() == ["BTC/USD", "ETH/USD"]
    for symbol in sample_names():
        report = load_bars(sample(symbol)).report
        assert (iso(report.first_ns), iso(report.last_ns)) == ("2017-01-01T00:00:00Z", "2018-12-31T23:00:00Z")
        assert report.bar_ns == HOUR_NS
    with pytest.raises(UnknownNameError, match=r"did you mean 'BTC/USD'"):
        sample("BTC/USDT")
