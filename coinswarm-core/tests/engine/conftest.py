"""Hand-made markets through both engines; whatever comes of them, the audit must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.engine.columns import run_columns
from coinswarm.engine.steps import run_steps
from coinswarm_testkit.audit import audit
from coinswarm_testkit.markets.tiny import Leg, Outcome, outcome, tiny_plan

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(params=[run_columns, run_steps], ids=["kernel", "reference"])
def run(request: pytest.FixtureRequest) -> Callable[..., Outcome]:
    """Run legs, or one leg's rows and sayings, with the rules of ``tiny_plan``."""

    def run(*legs: Leg, **rules: object) -> Outcome:
        plan = tiny_plan(*legs, **rules)  # type: ignore[arg-type]
        result = request.param(plan)
        assert audit(plan, result).broken == []
        return outcome(plan, result)

    return run
