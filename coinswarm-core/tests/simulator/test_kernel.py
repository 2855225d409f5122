"""The jitted twin: its codes, its arithmetic, and that it can stop and go on.

This file is run interpreted as well, so that coverage sees into it: what it runs is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.domain.order import EndReason, OrderFlags, OrderKind, Refusal, TimeInForce
from coinswarm.engine import columns
from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm.risk.limits import METHODS
from coinswarm.risk.sizing import R_CAP_BP
from coinswarm.simulator import kernel, layout
from coinswarm_testkit.audit import Findings, audit
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.plans import random_plan

if TYPE_CHECKING:
    from enum import IntEnum

SMALL = (0, 32, 46, 79, 81, 118, 156, 166, 237, 239, 276, 284, 301, 311, 316, 362)
"""Seeds of short plans that together reach every rule and code."""


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        (OrderKind, {"TRAILING_STOP": "TRAILING"}),
        (TimeInForce, {}),
        (EndReason, {"POSITION_CLOSED": "CLOSED", "WORKING": ""}),
        (Refusal, {"APPROVED": ""}),
    ],
)
def test_codes_are_those_of_the_domain(codes: type[IntEnum], names: dict[str, str]) -> None:
    for code in codes:
        name = names.get(code.name, code.name)
        if name:
            assert getattr(kernel, name) == code, code


def test_flags_methods_and_caps_are_those_of_the_domain() -> None:
    assert (kernel.REDUCE, kernel.PROTECTIVE, kernel.OCO_FLAG) == (
        OrderFlags.REDUCE_ONLY, OrderFlags.PROTECTIVE, OrderFlags.OCO,
    )  # fmt: skip
    assert METHODS == ("calibrated", "published", "fraction", "lots")
    assert (kernel.CALIBRATED, kernel.PUBLISHED, kernel.FRACTION, kernel.LOTS) == (0, 1, 2, 3)
    assert kernel.R_CAP_BP == R_CAP_BP


def test_every_column_of_the_layout_has_a_place_of_its_own() -> None:
    orders = [value for name, value in vars(layout).items() if name.startswith("O_")]
    assert sorted(orders) == list(range(layout.ORDER_WIDTH))
    assert layout.RING < layout.WIDTH
    assert layout.AGENTS < layout.WIDTH


@given(st.integers(0, 1 << 60), st.integers(0, 1 << 20), st.integers(1, 1 << 40))
def test_muldiv_is_exact(a: int, b: int, d: int) -> None:
    if a * b // d < 1 << 62:
        assert kernel.muldiv(a, b, d) == a * b // d


@given(st.integers(0, 1 << 55), st.integers(0, 1_000_000))
def test_fees_round_up(worth: int, ppm: int) -> None:
    assert kernel.fee_of(worth, ppm) == -(-worth * ppm // 1_000_000)


@given(st.integers(0, 1 << 40), st.integers(0, 1_000_000))
def test_parts_round_up(ticks: int, ppm: int) -> None:
    assert kernel.part_up(ticks, ppm) == -(-ticks * ppm // 1_000_000)


def test_small_runs_equal_the_reference_and_reach_everything() -> None:
    reached = Findings()
    for seed in SMALL:
        plan = random_plan(seed)
        result = run_columns(plan)
        assert differences(result, run_steps(plan)) == [], seed
        reached.add(audit(plan, result))
    assert (reached.broken, reached.missing()) == ([], [])


def test_a_run_stops_before_a_table_is_full_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = random_plan(118)
    whole = run_columns(plan)
    assert len(whole.orders) > 40
    monkeypatch.setattr(columns, "_LEAST_ROWS", 20)
    monkeypatch.setattr(columns, "_BARS_PER_ROW", 1_000_000)
    assert differences(run_columns(plan), whole) == []


def test_plans_are_not_changed_by_their_run() -> None:
    plan = random_plan(81)
    before = [np.array(ticks.close) for ticks in plan.ticks]
    one, other = run_columns(plan), run_columns(plan)
    assert differences(one, other) == []
    for ticks, old in zip(plan.ticks, before, strict=True):
        np.testing.assert_array_equal(ticks.close, old)
