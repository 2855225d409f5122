"""Bad text files: each is one line that names the file, the place and the remedy."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from coinswarm.errors import DataError
from coinswarm.feeds.files import load_bars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"timestamp,open,high,low,close,volume\n", "a header but no rows"),
        (b"Dear diary,\ntoday I bought, sold and bought.\n", "not a table of bars"),
        (b"a,b,c,d,e,f\nx,y,z,1,2,3\n", "no time column"),
        (bytes(range(256)) * 20, "neither text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither text"),
        (b"\x1f\x8bgarbage", "damaged or cut short"),
        (b"PK\x03\x04garbage", "damaged or cut short"),
        (b"PAR1garbage", "damaged or cut short"),
        (b"ARROW1garbage", "damaged or cut short"),
        (b'{"open": 1}', "JSON, but not a list of rows"),
        (b"[[1, 2", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[[1514764800000, 1, 1, 1, 1, null], [1514764860000, 1, 1, 1, 1, 1]]", "row 1: volume is ''"),
    ],
)
def test_garbage(content: bytes, message: str, write: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_bars(write(content))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("BTCUSD_1h.csv")


def test_a_gzip_file_cut_short(write: Callable[..., Path], sound: list[str]) -> None:
    whole = gzip.compress("\n".join(sound).encode())
    assert len(load_bars(write(whole)).bars) == 5
    for length in (len(whole) // 2, len(whole) - 4):
        with pytest.raises(DataError, match=r"damaged or cut short"):
            load_bars(write(whole[:length]))


@pytest.mark.parametrize(
    ("line", "row", "message"),
    [
        (3, "{t},,102,99,101,1", "line 3: open is '', not a number"),
        (4, "{t},100,102,99,abc,1", "line 4: close is 'abc', not a number"),
        (5, "{t},100,102,99", "line 5 has 4 columns, but 6 are needed"),
        (5, "{t},100,102,99,101,1,000.5", "line 5 has 7 columns, the first row 6"),
        (3, ",100,102,99,101,1", "line 3: time is ''"),
        (3, "2018-01-01,100,102,99,101,1", "line 3: time is '2018-01-01', not like the rows before it"),
        (3, "{t},100,102,99,1_0,1", "line 3: close is '1_0'"),
        (3, "{t},100,102,99,nan,1", r"not a finite number in 1 row \(line 3\)"),
        (3, "{t},100,98,99,98.5,1", r"high below low in 1 row \(line 3\)"),
        (3, "{t},100,102,99,101,-1", r"negative volume in 1 row \(line 3\)"),
        (3, "1514764800000,100,102,99,101,1", r"time repeated in 1 row \(line 3\)"),
        (
            3,
            "1514764860000,100,102,99,101,1",
            r"off the 1h grid in 1 row \(line 3\).*or pass --bar to coinswarm",
        ),
        (4, "1514764800000,100,102,99,101,1", r"time earlier than the row before in 1 row \(line 4\)"),
    ],
)
def test_a_bad_row_is_named_by_its_line(
    line: int, row: str, message: str, write: Callable[..., Path], sound: list[str]
) -> None:
    sound[line - 1] = row.format(t=sound[line - 1].partition(",")[0])
    with pytest.raises(DataError, match=message) as caught:
        load_bars(write(sound))
    assert "\n" not in str(caught.value)


def test_blank_lines_and_windows_line_ends_count_but_do_not_harm(write: Callable[..., Path], sound: list[str]) -> None:
    padded = [*sound[:3], "", *sound[3:], "", ""]
    assert len(load_bars(write(padded)).bars) == 5
    assert len(load_bars(write("\r\n".join(padded).encode())).bars) == 5
    padded[5] = padded[5].replace("1.125", "-1")
    with pytest.raises(DataError, match=r"\(line 6\)"):
        load_bars(write(padded))


def test_a_delimiter_inside_quotes_is_text(write: Callable[..., Path]) -> None:
    header = 'time,open,high,low,close,volume,"note, or not"'
    rows = [f'{1_514_764_800 + 60 * n},10,12,9,11,5,"a, b"' for n in range(2)] + ["1514764920,10,12,9,11,5,c"]
    assert len(load_bars(write([header, *rows])).bars) == 3


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        (['"a\nb"', "x"], "line 3 has 1 columns"),
        (["x", '"a\n\nb"'], "line 5 has 1 columns"),
        (["x", '"a', 'b"', "x"], "a text in quotes has a line end in it"),
    ],
)
def test_a_line_end_inside_quotes_parts_no_rows_and_joins_none(
    notes: list[str], message: str, write: Callable[..., Path]
) -> None:
    rows = [f"{1_514_764_800 + 60 * number},1,1,1,1,1,{note}" for number, note in enumerate(notes)]
    with pytest.raises(DataError, match=message):
        load_bars(write(["time,open,high,low,close,volume,note", *rows]), bar_ns=60 * 10**9)


def test_a_comma_or_a_line_end_in_a_text_of_json_parts_no_columns(write: Callable[..., Path]) -> None:
    rows = [[1_514_764_800 + 60 * number, 1, 1, 1, 1, "1,234.5"] for number in range(2)]
    with pytest.raises(DataError, match=r"row 1: volume is '1,234\.5', not a number"):
        load_bars(write(json.dumps(rows).encode()))
    rows = [[*row[:5], 2, 'a, "b"\r\nc'] for row in rows]
    assert load_bars(write(json.dumps(rows).encode())).bars.volume.tolist() == [2, 2]


def test_text_that_no_dtype_holds(write: Callable[..., Path]) -> None:
    rows = [f"2018-01-0{n},10,12,9,11,5" for n in (1, 2)] + ["2018\u20132019,10,12,9,11,5"]
    with pytest.raises(DataError) as caught:
        load_bars(write(["time,open,high,low,close,volume", *rows]))
    assert "\n" not in str(caught.value)
    assert "BTCUSD_1h.csv" in str(caught.value)


def test_several_pairs_in_one_file(write: Callable[..., Path]) -> None:
    header = "time,symbol,open,high,low,close,volume"
    rows = [f"{1_514_764_800 + 60 * n},{pair},10,12,9,11,5" for n, pair in enumerate(["BTCUSD", "ETHUSD", "BTCUSD"])]
    with pytest.raises(DataError, match=r"holds 2 pairs \(BTCUSD, ETHUSD\): give one file per pair"):
        load_bars(write([header, *rows]))
    assert load_bars(write([header, *rows[::2]], "x.csv")).bars.instrument.symbol == "BTC/USD"


def test_trailing_zeros_are_decimals(write: Callable[..., Path]) -> None:
    rows = [f"{1_514_764_800 + 60 * n},10.00,12.00,9.00,11.00,5.000" for n in range(2)]
    instrument = load_bars(write(["time,open,high,low,close,volume", *rows])).bars.instrument
    assert (str(instrument.tick), str(instrument.lot)) == ("0.01", "0.001")
