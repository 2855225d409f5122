"""The ablation finds what it should, and only that: each agent fails the checks that it breaks."""

from __future__ import annotations

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.checks.agents_memory import CHECKS
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import judge
from coinswarm_testkit.verdicts import Outcome, Result

pytestmark = pytest.mark.soundness


def judged(name: str, seed: int = 0, *, needs: tuple[str, ...] = ("memory",)) -> dict[str, Outcome]:
    subject = Subject(name, f"memory_agents:{name}", declaration={"needs": list(needs)})
    return {found.id: found for found in judge(LocalBench(subject, seed), CHECKS)}


@pytest.mark.parametrize("seed", [0, 1])
def test_the_reference_fails_nothing(seed: int) -> None:
    found = judged("RecallingAgent", seed)
    assert [one.reason for one in found.values()] == ["", ""]
    values = found["A97"].measured.values
    assert {"no-edge leaky t", "changing-regimes real over permuted t"} < set(values)
    assert isinstance(values["no-edge recalled"], float)
    assert values["no-edge recalled"] > 1_000


@pytest.mark.parametrize(
    ("name", "expected", "says"),
    [
        ("EmbedsTheFuture", {"A97"}, "where there is nothing to know, memory adds"),
        ("IgnoresWhatItRecalls", {"A97"}, "even a memory of the future adds only 0.0"),
        ("Tires", {"A95"}, "it wears out"),
        ("Exaggerates", {"A95", "A97"}, "reconsider makes a confidence of 0.5000 one of 0.0100"),
        ("TurnsRound", {"A95", "A97"}, "reconsider changes side of an action"),
        ("IsSureOfNothing", {"A95", "A97"}, "though nothing was recalled"),
        ("ZeroVectors", {"A95", "A97"}, "1 dimensions and length 0"),
        ("ChangesItsWidth", {"A95", "A97"}, "widths [2, 3]"),
    ],
)
def test_what_breaks_a_demand_fails_it_alone(name: str, expected: set[str], says: str) -> None:
    found = judged(name)
    assert {one.id for one in found.values() if not one.good} == expected
    assert says in found[max(expected)].reason


def test_agents_without_memory_are_not_asked() -> None:
    assert {one.result for one in judged("RecallingAgent", needs=()).values()} == {Result.SKIPPED}
