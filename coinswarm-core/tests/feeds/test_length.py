"""Bar lengths in and out of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.clock import SECOND_NS
from coinswarm.errors import DataError
from coinswarm.feeds.length import format_length, parse_length


@given(st.integers(1, 999_999))
def test_what_is_written_reads_back(seconds: int) -> None:
    assert parse_length(format_length(seconds * SECOND_NS)) == seconds * SECOND_NS


def test_the_largest_unit_is_used() -> None:
    assert [format_length(parse_length(text)) for text in ("60s", "60m", "24h", "7d", "90m")] == [
        *("1m", "1h", "1d", "1w", "90m")
    ]
    assert format_length(250) == "250ns"


@pytest.mark.parametrize("text", ["", "h", "0h", "1", "1.5h", "-1h", "1 h", "1H", "1month", "9999999s"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DataError, match=r"write for example 1m"):
        parse_length(text)
