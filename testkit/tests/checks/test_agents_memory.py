"""The reference agent passes what is asked of memory; agents without any are not asked. The mutants show the rest."""

from __future__ import annotations

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.checks.agents_memory import CHECKS
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import judge
from coinswarm_testkit.verdicts import Outcome, Result

pytestmark = pytest.mark.soundness


def judged(seed: int = 0, *, needs: tuple[str, ...] = ("memory",)) -> dict[str, Outcome]:
    target = "coinswarm_testkit.reference.recalling:RecallingAgent"
    with LocalBench(Subject("recalling", target, declaration={"needs": list(needs)}), seed) as bench:
        return {found.id: found for found in judge(bench, CHECKS)}


def test_the_reference_fails_nothing() -> None:
    found = judged(seed=1)
    assert [one.reason for one in found.values()] == ["", ""]
    values = found["A97"].measured.values
    assert {"no-edge leaky t", "changing-regimes real over permuted t"} < set(values)
    assert isinstance(values["no-edge recalled"], float)
    assert values["no-edge recalled"] > 1_000


def of_trend(settings: dict[str, bool]) -> dict[str, Outcome]:
    subject = Subject(
        "trend",
        "coinswarm_trend.agent:TrendAgent",
        settings_target="coinswarm_trend.settings:TrendSettings",
        settings=settings,
        declaration={"warm_up": 280},
    )
    with LocalBench(subject, 0) as bench:
        return {found.id: found for found in judge(bench, CHECKS)}


def test_agents_without_memory_are_not_asked() -> None:
    assert {one.result for one in of_trend({}).values()} == {Result.SKIPPED}


def test_memory_that_is_a_setting_is_judged_where_it_is_set() -> None:
    found = of_trend({"memory": True})
    assert [one.reason for one in found.values()] == ["", ""]
    assert found["A97"].measured.values["no-edge recalled"] == 2_793
