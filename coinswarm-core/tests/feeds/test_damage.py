"""Whatever happens to a file, the answer is bars or one DataError of one line."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.errors import DataError
from coinswarm.feeds.files import load_bars, sample
from coinswarm.feeds.store import encode

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"\n".join(gzip.decompress(sample("BTC/USD").read_bytes()).splitlines()[:30])
PIECES = (
    b"",
    b"\0",
    b"\xff",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"nan",
    b"1e999",
    b"-",
    b"1e-9",
    b"9" * 40,
    b"#",
    b"[",
    b"2018-01-01",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damage")


@pytest.fixture(scope="module")
def stored(folder: Path) -> bytes:
    path = folder / "BTCUSD.csv"
    path.write_bytes(TEXT)
    return encode(load_bars(path), "x.csv")


def outcome(path: Path, content: bytes) -> str:
    """``bars``, or the message of the refusal."""
    path.write_bytes(content)
    try:
        return "bars" if len(load_bars(path).bars) else "no bars"
    except DataError as error:
        return str(error)


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 30), st.sampled_from(PIECES)), max_size=4))
def test_text(folder: Path, edits: list[tuple[int, int, bytes]]) -> None:
    content = TEXT
    for start, length, piece in edits:
        content = content[:start] + piece + content[start + length :]
    said = outcome(folder / "BTCUSD_1h.csv", content)
    assert said == "bars" or (said.startswith(("BTCUSD_1h.csv", "BTC/USD")) and "\n" not in said)


@given(st.binary(max_size=200))
def test_anything(folder: Path, content: bytes) -> None:
    said = outcome(folder / "BTCUSD_1h.csv", content)
    assert said.startswith("BTCUSD_1h.csv")
    assert "\n" not in said


@given(st.integers(0, 1_000_000), st.integers(1, 255))
def test_stored(folder: Path, stored: bytes, place: int, change: int) -> None:
    place %= len(stored)
    content = stored[:place] + bytes([stored[place] ^ change]) + stored[place + 1 :]
    said = outcome(folder / "BTC-USD_1h.npz", content)
    # A byte of the zip's own bookkeeping (dates, flags) may change without consequence.
    assert said == "bars" or (said.startswith("BTC-USD_1h.npz") and "\n" not in said)
