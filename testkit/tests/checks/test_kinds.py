"""Checks of the other kinds against mutants: what fails is what the mutant declares, and nothing of the reference.

The check that starts two processes is run where it matters.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge

if TYPE_CHECKING:
    from coinswarm_testkit.subject import Kind

sys.path.insert(0, str(Path(__file__).parents[1] / "subjects"))
LETTERS: dict[Kind, str] = {"weigher": "W", "risk": "R", "execution": "E", "memory": "M", "voter": "V", "planner": "L"}
SEEDS = (0, 1, 2)

REFERENCES: dict[Kind, tuple[tuple[str, str], ...]] = {
    "weigher": (("weigher:MedianWeigher", ""),),
    "risk": (("risk:VolatilityCap", "settings:VolatilityCapSettings"),),
    "execution": (("execution:Slicer", "settings:SlicerSettings"),),
    "memory": (("memory:ExactMemory", "settings:MemorySettings"),),
    "voter": (("voter:Recomputes", ""),),
    "planner": (("planner:EqualRisk", "settings:EqualRiskSettings"),),
}
PACKAGE = "coinswarm_testkit.reference."


def failing(subject: Subject, seed: int, *, processes: bool) -> dict[str, str]:
    """What the subject fails, and why."""
    letter = LETTERS[subject.kind]
    checks = [check for check in checks_for(subject.kind, tier="silver") if check.id[0] == letter]
    assert checks
    checks = [check for check in checks if processes or check.id != f"{letter}10"]
    return {found.id: found.reason for found in judge(LocalBench(subject, seed), checks) if not found.good}


def subject_of(kind: Kind, target: str, settings: str, folder: Path) -> Subject:
    """A subject; a memory keeps its file in the folder."""
    if kind == "memory":
        values = {"file": str(folder / "memory.db")}
        return Subject(target, target, f"{PACKAGE}settings:MemorySettings", values, kind)
    declaration = {"history_days": 60} if kind == "planner" else {}
    return Subject(target, target, settings and PACKAGE + settings, kind=kind, declaration=declaration)


MUTANTS: list[Any] = [
    pytest.param(kind, f"{kind}_mutants:{mutant.__name__}", failed, id=f"{kind}-{mutant.__name__}")
    for kind in LETTERS
    for mutant, failed in import_module(f"{kind}_mutants").MUTANTS.items()
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("kind", "target", "expected"), MUTANTS)
def test_a_mutant_fails_what_it_breaks(kind: Kind, target: str, expected: set[str], seed: int, tmp_path: Path) -> None:
    processes = f"{LETTERS[kind]}10" in expected
    found = failing(subject_of(kind, target, "", tmp_path), seed, processes=processes)
    assert set(found) == expected, found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("kind", "target", "settings"),
    [(kind, target, settings) for kind, targets in REFERENCES.items() for target, settings in targets],
)
def test_the_reference_fails_nothing(kind: Kind, target: str, settings: str, seed: int, tmp_path: Path) -> None:
    subject = subject_of(kind, PACKAGE + target, settings, tmp_path)
    assert failing(subject, seed, processes=seed == 0) == {}


def test_the_bundled_weigher_fails_nothing() -> None:
    subject = Subject("weighted", "coinswarm.committee.weighing:WeightedWeigher", kind="weigher")
    assert failing(subject, 0, processes=True) == {}


@pytest.mark.parametrize("kind", LETTERS)
def test_every_check_has_a_mutant(kind: Kind) -> None:
    caught = set().union(*import_module(f"{kind}_mutants").MUTANTS.values())
    assert caught == {check.id for check in checks_for(kind, tier="silver") if check.id[0] == LETTERS[kind]}
