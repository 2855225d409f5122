"""Both engines on generated markets: one result, no rule broken, every rule and code reached.

Three judges that share no code: the kernel, the reference exchange, and the testkit's audit, which
works prices, fees, positions and equity out again from the tables.
"""

from __future__ import annotations

import pytest

from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm_testkit.audit import Findings, audit
from coinswarm_testkit.differential import differences
from coinswarm_testkit.markets.plans import random_plan

pytestmark = [pytest.mark.soundness, pytest.mark.compiled]

MARKETS = 640
BATCH = 40


@pytest.mark.parametrize("first", range(0, MARKETS, BATCH))
def test_columns_equal_steps(first: int, reached: Findings) -> None:
    for seed in range(first, first + BATCH):
        plan = random_plan(seed)
        columns = run_columns(plan)
        assert differences(columns, run_steps(plan)) == [], f"random_plan({seed})"
        findings = audit(plan, columns)
        assert findings.broken == [], f"random_plan({seed})"
        reached.add(findings)


def test_every_rule_and_code_was_reached(reached: Findings) -> None:
    assert reached.met, "the markets come first: run this file as a whole"
    assert reached.missing() == []
