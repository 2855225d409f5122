"""The references of weighers, risk, execution, memory, voters and planners fail no check, at another seed as well.

With the first one they belong to the clean set; that, and what the checks catch, is tested in ``testkit/mutants``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge
from coinswarm_testkit.verdicts import Result

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = "coinswarm_testkit.reference"
SETTINGS = f"{REFERENCE}.settings"

SUBJECTS = (
    Subject("weighted", "coinswarm.committee.weighing:WeightedWeigher", kind="weigher"),
    Subject("median", f"{REFERENCE}.weigher:MedianWeigher", kind="weigher"),
    Subject("cap", f"{REFERENCE}.risk:VolatilityCap", f"{SETTINGS}:VolatilityCapSettings", kind="risk"),
    Subject("slicer", f"{REFERENCE}.execution:Slicer", f"{SETTINGS}:SlicerSettings", kind="execution"),
    Subject("integers", "coinswarm.memory.promotion.voters:IntegerVoter", kind="voter"),
    Subject(
        "planner",
        f"{REFERENCE}.planner:EqualRisk",
        f"{SETTINGS}:EqualRiskSettings",
        kind="planner",
        declaration={"history_days": 60},
    ),
)


def wrong(subject: Subject, seed: int) -> list[str]:
    """What the subject fails; all that is about its kind is run."""
    found = list(judge(LocalBench(subject, seed), checks_for(subject.kind, tier="silver")))
    run = [one for one in found if one.result is not Result.SKIPPED]
    assert len(run) > 6
    return [f"{one.id} {one.reason}" for one in found if not one.good]


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_the_reference_fails_nothing(subject: Subject, seed: int) -> None:
    assert wrong(subject, seed) == []


@pytest.mark.parametrize("seed", [1])
def test_the_exact_memory_fails_nothing(seed: int, tmp_path: Path) -> None:
    settings = {"file": str(tmp_path / "memory.db")}
    memory = Subject("memory", f"{REFERENCE}.memory:ExactMemory", f"{SETTINGS}:MemorySettings", settings, "memory")
    assert wrong(memory, seed) == []


def test_a_memory_that_does_not_persist_need_not_survive(tmp_path: Path) -> None:
    settings = {"file": str(tmp_path / "memory.db")}
    target, model = f"{REFERENCE}.memory:ExactMemory", f"{SETTINGS}:MemorySettings"
    memory = Subject("memory", target, model, settings, "memory", {"persistent": False})
    [check] = [check for check in checks_for("memory") if check.id == "M75"]
    [found] = judge(LocalBench(memory, 0), [check])
    assert found.result is Result.SKIPPED
