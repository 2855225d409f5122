"""Imported data: lossless, reproducible, written whole or not at all."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.instrument import Instrument
from coinswarm.domain.market import Bars
from coinswarm.errors import DataError, OutputError
from coinswarm.feeds.files import load_bars, sample
from coinswarm.feeds.loaded import Loaded
from coinswarm.feeds.store import COLUMNS, decode, encode, stored_name, write_whole
from coinswarm.writing import replace_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPORT = load_bars(sample("BTC/USD")).report


def test_a_stored_file_gives_the_bars_of_its_source(write: Callable[..., Path], sound: list[str]) -> None:
    del sound[3]
    first = load_bars(write(sound), stamp="close", volume="quote", shortable=True)
    assert stored_name(first.bars) == "BTC-USD_1h.npz"
    again = load_bars(write(encode(first, "x.csv"), "whatever.npz"))
    for name in COLUMNS:
        assert getattr(again.bars, name).tobytes() == getattr(first.bars, name).tobytes()
    assert again.bars.instrument == first.bars.instrument
    same = {"layout", "unit", "sha256", "symbol_guessed", "bar_inferred"}
    assert replace(again.report, **{name: getattr(first.report, name) for name in same}) == first.report


@given(st.lists(st.floats(1e-6, 1e6), min_size=1))
def test_doubles_survive_to_the_last_bit(prices: list[float]) -> None:
    column = np.array(prices)
    instrument = Instrument("BTC/USD", Decimal(1), Decimal(1))
    bars = Bars(instrument, 60, np.arange(len(prices)) * 60, column, column, column, column, column)
    table = decode(encode(Loaded(bars, REPORT), "x.csv"), "x.npz")
    assert table.prices[3].tolist() == prices
    assert table.stored is not None
    assert (table.stored.instrument, table.stored.length_ns, table.stored.source) == (instrument, 60, "x.csv")


def test_equal_input_gives_equal_bytes(write: Callable[..., Path], sound: list[str]) -> None:
    path = write(sound)
    assert encode(load_bars(path), path.name) == encode(load_bars(path), path.name)


def test_a_source_whose_name_is_no_text_is_told_in_letters(write: Callable[..., Path], sound: list[str]) -> None:
    loaded = load_bars(write(encode(load_bars(write(sound)), "\udcff.csv"), "x.npz"))
    assert loaded.report.layout == "imported from \\udcff.csv"


def test_damage_is_noticed(write: Callable[..., Path], sound: list[str]) -> None:
    whole = encode(load_bars(write(sound)), "x.csv")
    middle = len(whole) // 4
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    for broken in (whole[: len(whole) // 2], flipped):
        with pytest.raises(DataError, match=r"damaged or cut short|not one that"):
            load_bars(write(broken, "BTC-USD_1h.npz"))


def test_archives_of_another_kind(write: Callable[..., Path]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("BTCUSDT-1h.csv", "1,2,3")
    with pytest.raises(DataError, match=r"not one that `coinswarm data import` wrote"):
        load_bars(write(out.getvalue(), "BTCUSDT-1h.zip"))
    out = io.BytesIO()
    arrays: dict[str, Any] = {column: np.zeros(1) for column in COLUMNS}
    arrays["header"] = np.frombuffer(b'{"format": "coinswarm-bars-9"}', np.uint8)
    np.savez(out, **arrays)
    with pytest.raises(DataError, match=r"format 'coinswarm-bars-9': this version reads"):
        load_bars(write(out.getvalue(), "BTC-USD_1h.npz"))


def test_what_was_settled_cannot_be_declared_again(write: Callable[..., Path], sound: list[str]) -> None:
    path = write(encode(load_bars(write(sound)), "x.csv"), "BTC-USD_1h.npz")
    with pytest.raises(DataError, match=r"was imported: .*leave out --stamp and --volume"):
        load_bars(path, stamp="close")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "x.npz"
    assert write_whole(path, b"one", replace=False)
    assert write_whole(path, b"two", replace=True)
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == ["x.npz"]


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640)])
def test_who_may_read_it_is_said_by_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        for replace in (False, True):
            assert write_whole(tmp_path / "x.npz", b"one", replace=replace)
            assert stat.S_IMODE((tmp_path / "x.npz").stat().st_mode) == mode
        replace_bytes(tmp_path / "kept.toml", b"mine")
        assert stat.S_IMODE((tmp_path / "kept.toml").stat().st_mode) == 0o600, "decisions are their owner's"
    finally:
        os.umask(before)


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_is_not_replaced_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    def none(_source: object, _target: object) -> None:
        raise PermissionError

    if not links:
        monkeypatch.setattr(os, "link", none)
    path = tmp_path / "x.npz"
    assert write_whole(path, b"one", replace=False)
    assert not write_whole(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    assert write_whole(path, b"three", replace=False)
    assert path.read_bytes() == b"three"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.npz"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_fails_half_way_leaves_the_old_file(
    fault: BaseException | type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.npz"
    write_whole(path, b"old", replace=True)

    def fail(_handle: int) -> None:
        raise fault

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        write_whole(path, b"new", replace=True)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.npz"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot be written .*another file with --out"):
        write_whole(tmp_path / "file" / "x.npz", b"data", replace=True)
