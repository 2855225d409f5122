"""What differs between two runs, key by key and order by order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.backtest.compare import changes, equity_apart, first_difference, flatten
from coinswarm.canonical import ORDER_FIELDS
from coinswarm.clock import HOUR_NS
from coinswarm.domain.instrument import Instrument
from coinswarm.engine.result import RunResult

NONE = np.zeros((0, 10), np.int64)
ROW = dict(zip(ORDER_FIELDS, [0, -1, 0, 10**18, 1, 0, 5, 0, 0, 0, 0, 10**18, 1], strict=True))


def run(*changed: dict[str, int]) -> RunResult:
    """A run with one order per argument."""
    rows = [list({**ROW, "seq": n, **change}.values()) for n, change in enumerate(changed)]
    return RunResult(
        instruments=(Instrument("BTC/USD", Decimal("0.5"), Decimal("0.1")),),
        anchor_ns=0,
        bar_ns=60,
        cash=1,
        orders=np.array(rows, np.int64).reshape(len(rows), 13),
        fills=NONE[:, :5],
        reference=NONE[:, 0],
        times_ns=NONE[:, 0],
        equity=NONE[:, 0],
        exposure_units=NONE[:, 0],
        decisions=NONE,
        trade_rows=NONE,
        costs={},
    )


def test_the_same_orders_have_no_first_difference() -> None:
    assert first_difference(run({}, {}), run({}, {})) is None
    assert first_difference(run(), run()) is None


def test_the_first_order_that_differs_is_told_in_words() -> None:
    found = first_difference(run({}, {"lots": 7}), run({}, {"side": -1, "kind": 1, "limit": 9}))
    assert found == {
        "number": 1,
        "a": "2001-09-09T01:46:40Z buy 0.7 BTC/USD market (entry): filled 2001-09-09T01:46:40Z",
        "b": "2001-09-09T01:46:40Z sell 0.5 BTC/USD limit limit 4.5 (entry): filled 2001-09-09T01:46:40Z",
    }


def test_a_run_that_stops_earlier_says_so() -> None:
    found = first_difference(run({}), run({}, {"end_ns": 0, "end_reason": 0}))
    assert found is not None
    assert found["a"] == "sent no more orders after 1"
    assert found["b"].endswith("(entry): still working at the end")


def test_another_numbering_is_no_difference() -> None:
    shifted = replace(run({}), orders=run({}).orders + np.eye(1, 13, dtype=np.int64))
    assert first_difference(run({}), shifted) is None


def test_equity_is_compared_at_the_same_moments_though_bars_differ_in_length() -> None:
    long, short = (np.array(units, np.int64) for units in ([1, 2, 3], [0, 1, 1, 2, 2, 4]))
    hourly = replace(run(), bar_ns=HOUR_NS, times_ns=HOUR_NS * np.arange(3), equity=long)
    halves = replace(run(), bar_ns=HOUR_NS // 2, times_ns=HOUR_NS // 2 * np.arange(6), equity=short)
    found = equity_apart(hourly, halves)
    assert (found["marks_in_both"], found["first_apart"]) == (3, "1970-01-01T03:00:00Z")
    assert found["widest"] == {"difference": "0.00000001", "at": "1970-01-01T03:00:00Z"}


def test_flatten_names_entries_by_their_own_names() -> None:
    profile = {
        "agents": [{"id": None, "name": "trend", "settings": {"fast": 3}}, {"id": "slow", "name": "trend"}],
        "plugins": ["a", "b"],
        "instruments": [{"symbol": "BTC/USD", "tick": "0.1"}],
    }
    assert flatten(profile) == {
        "agents.trend.id": None,
        "agents.trend.name": "trend",
        "agents.trend.settings.fast": 3,
        "agents.slow.id": "slow",
        "agents.slow.name": "trend",
        "plugins": ["a", "b"],
        "instruments.BTC/USD.symbol": "BTC/USD",
        "instruments.BTC/USD.tick": "0.1",
    }


leaves = st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 3), max_size=5)


@given(leaves, leaves)
def test_changes_are_all_and_only_what_differs(a: dict[str, Any], b: dict[str, Any]) -> None:
    found = changes(a, b)
    assert {row["key"] for row in found} == {key for key in {*a, *b} if a.get(key) != b.get(key)}
    patched = {**a, **{row["key"]: row["b"] for row in found}}
    assert {key: value for key, value in patched.items() if value is not None} == b
