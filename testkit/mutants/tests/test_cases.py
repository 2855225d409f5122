"""Each mutant fails what it states, and each check lets a twin pass; `./dev mutants` judges them all by every check."""

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
    from collections.abc import Iterable

    from _pytest.mark import ParameterSet

    from coinswarm_testkit.subject import Subject

CASES = {case.name: case for case in cases()}


def chosen() -> list[str]:
    """Names of cases, so few that every check which any of them fails is failed by one of these."""
    covered: set[str] = set()
    found = []
    for name, case in sorted(CASES.items(), key=lambda one: (len(one[1].fails), one[0])):
        if not case.fails <= covered:
            covered |= case.fails
            found.append(name)
    return found


def named(names: Iterable[str]) -> list[ParameterSet]:
    """Parameters; evidence is measured in the stage of soundness, as it takes seconds for each."""
    return [
        pytest.param(one, marks=[pytest.mark.soundness] if CASES[one].tier == "gold" else [], id=one) for one in names
    ]


@pytest.fixture(autouse=True)
def server(request: pytest.FixtureRequest) -> None:
    """Start the real server that a case is tried on."""
    name = request.node.callspec.params.get("name", "") if hasattr(request.node, "callspec") else ""
    if name in CASES and VARIABLE in str(CASES[name].mutant.declaration):
        request.getfixturevalue("nats_url")


@pytest.mark.parametrize("name", named(CASES))
def test_a_mutant_fails_what_it_states(name: str) -> None:
    case = CASES[name]
    assert failing(case, "mutant", only=tuple(case.fails)) == case.fails


@pytest.mark.parametrize("name", named(chosen()))
def test_its_twin_does_not(name: str) -> None:
    assert failing(CASES[name], "twin", only=tuple(CASES[name].fails)) == set()


@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize("subject", clean_set(), ids=lambda subject: re.sub(r"\W+", "-", subject.name))
def test_the_clean_set_raises_no_alarm(subject: Subject, seed: int) -> None:
    assert [(one.id, one.reason) for one in outcomes(subject, seed=seed) if not one.good] == []


def test_no_check_could_be_left_out_unnoticed() -> None:
    assert uncovered() == []


def test_each_check_lets_a_twin_pass() -> None:
    every = {check for case in CASES.values() for check in case.fails}
    assert {check for name in chosen() for check in CASES[name].fails} == every


def test_cases_name_known_checks_and_say_what_is_wrong() -> None:
    known = {check.id for check in CHECKS}
    for case in cases():
        assert case.fails, case.name
        assert case.fails <= known, case.name
        assert case.about.endswith("."), case.name
