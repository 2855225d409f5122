"""Each mutant fails what it states, each twin passes just that; `./dev mutants` judges them by every check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from coinswarm_mutants.__main__ import uncovered
from coinswarm_mutants.cases import cases
from coinswarm_mutants.clean import clean_set
from coinswarm_mutants.judging import failing, outcomes
from coinswarm_testkit.checks import CHECKS
from coinswarm_testkit.servers.nats import VARIABLE

if TYPE_CHECKING:
    from coinswarm_testkit.subject import Subject

CASES = {case.name: case for case in cases()}
NAMES = [
    pytest.param(name, marks=[pytest.mark.soundness] if case.tier == "gold" else [], id=name)
    for name, case in CASES.items()
]
"""Evidence is measured in the stage of soundness: it takes seconds for each."""


@pytest.fixture(autouse=True)
def server(request: pytest.FixtureRequest) -> None:
    """Start the real server that a case is tried on."""
    name = request.node.callspec.params.get("name", "") if hasattr(request.node, "callspec") else ""
    if name in CASES and VARIABLE in str(CASES[name].mutant.declaration):
        request.getfixturevalue("nats_url")


@pytest.mark.parametrize("name", NAMES)
def test_a_mutant_fails_what_it_states(name: str) -> None:
    case = CASES[name]
    assert failing(case, "mutant", only=tuple(case.fails)) == case.fails


@pytest.mark.parametrize("name", NAMES)
def test_its_twin_does_not(name: str) -> None:
    assert failing(CASES[name], "twin", only=tuple(CASES[name].fails)) == set()


@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize("subject", clean_set(), ids=lambda subject: re.sub(r"\W+", "-", subject.name))
def test_the_clean_set_raises_no_alarm(subject: Subject, seed: int) -> None:
    assert [(one.id, one.reason) for one in outcomes(subject, seed=seed) if not one.good] == []


def test_no_check_could_be_left_out_unnoticed() -> None:
    assert uncovered() == []


def test_cases_name_known_checks_and_say_what_is_wrong() -> None:
    known = {check.id for check in CHECKS}
    for case in cases():
        assert case.fails, case.name
        assert case.fails <= known, case.name
        assert case.about.endswith("."), case.name
