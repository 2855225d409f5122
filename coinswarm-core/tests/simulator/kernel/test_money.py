"""The kernel's arithmetic. This file is run interpreted as well, so that coverage sees into it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coinswarm.simulator.kernel import money


@given(st.integers(0, 1 << 60), st.integers(0, 1 << 20), st.integers(1, 1 << 40))
def test_muldiv_is_exact(a: int, b: int, d: int) -> None:
    if a * b // d < 1 << 62:
        assert money.muldiv(a, b, d) == a * b // d


@given(st.integers(0, 1 << 55), st.integers(0, 1_000_000))
def test_fees_round_up(worth: int, ppm: int) -> None:
    assert money.fee_of(worth, ppm) == -(-worth * ppm // 1_000_000)


@given(st.integers(0, 1 << 40), st.integers(0, 1_000_000))
def test_parts_round_up(ticks: int, ppm: int) -> None:
    assert money.part_up(ticks, ppm) == -(-ticks * ppm // 1_000_000)
