"""Funding files: the right two columns, every payment, and nothing that cannot be a rate."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from coinswarm.clock import SECOND_NS
from coinswarm.errors import DataError
from coinswarm.feeds.funding import load_funding

if TYPE_CHECKING:
    from pathlib import Path

ROWS = b"2020-12-29T00:00:00Z,0.0001\n2020-12-29T08:00:00Z,-0.00031\n"
TIMES = [1_609_200_000 * SECOND_NS, 1_609_228_800 * SECOND_NS]
RATES = [100_000, -310_000]


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        b"\xef\xbb\xbf" + ROWS,
        b" " + ROWS,
        ROWS.replace(b"\n", b"\r\n"),
        gzip.compress(ROWS),
        b"when,what is paid\n" + ROWS,
        b"\nTime,Rate\n\n" + ROWS,
        b"20201229 00:00:00,0.0001\n2020-12-29T09:00:00.000+01:00,-3.1e-4\n",
        b"calc_time,funding_interval_hours,last_funding_rate\n1609200000000,8,0.0001\n1609228800000,8,-0.00031\n",
        b"symbol,fundingRate,fundingTime\nBTCUSDT,0.0001,1609200000000\nBTCUSDT,-0.00031,1609228800000\n",
        b"timestamp,mark_price,funding_rate\n1609200000,0.5,0.0001\n1609228800,0.6,-0.00031\n",
    ],
)
def test_every_payment_is_read_from_the_right_columns(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "funding.csv"
    path.write_bytes(text)
    times, rates = load_funding(path)
    assert (times.tolist(), rates.tolist()) == (TIMES, RATES)


DAMAGED = bytearray(gzip.compress(ROWS * 9, mtime=0))
DAMAGED[10] = 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"1609200000,8,0.0001\n", "has 3 columns and no header: name them"),
        (b"1609200000,29000.5\n", "line 1: the rate 29000.5 is no share of a position's value"),
        (b"1609200000,-1\n", "line 1: the rate -1 is no share"),
        (b"1609200000,1e400\n", "line 1: the rate 1e400 is no share"),
        (b"1609200000,inf\n", "line 1: '1609200000,inf' is not a time and a rate"),
        (b"2020-12-29,0.01%\n" + ROWS, "line 1: '2020-12-29,0.01%' is not a time and a rate"),
        (b"1609200000\n", "line 1: '1609200000' is not a time and a rate"),
        (b"date,funding_mean,funding_abs\n2020-12-29,1e-04,1e-04\n", "line 1: the header .* does not tell which"),
        (b"rate,time\n0.0001,\n", "line 2: '' is not an ISO 8601 date"),
        (b"rate,when\n", "call the one 'time' and the other 'rate'"),
        (b"time;rate\n", "line 1: the header 'time;rate'"),
        (b"9" * 5_000 + b",0.0001\n", "line 1: '9{40}' is not an ISO 8601 date"),
        (b"9999-12-31,0.0001\n", "line 1: '9999-12-31' is too far away"),
        (ROWS + ROWS, "line 3: 2020-12-29T00:00:00Z does not come after the line before"),
        (b"", "holds no funding payment"),
        (b"time,rate\n", "holds no funding payment"),
        (bytes(DAMAGED), "is not a text file"),
        (b'1,"' + b"9" * 200_000, "is not a text file"),
    ],
)
def test_what_cannot_be_a_payment_is_refused_with_its_line(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "funding.csv"
    path.write_bytes(text)
    with pytest.raises(DataError, match=said):
        load_funding(path)
