"""Whole runs of the jitted twin: as the reference's, and that it can stop and go on.

This file is run interpreted as well, so that coverage sees into all of the kernel: what it runs is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.engine import columns
from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm_testkit.audit import Findings, audit
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.plans import random_plan

if TYPE_CHECKING:
    import pytest

SMALL = (0, 32, 46, 79, 81, 118, 156, 166, 237, 239, 276, 284, 301, 311, 316, 362)
"""Seeds of short plans that together reach every rule and code."""


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
