"""No check fails who is sound: neither a mutant's twin nor anyone of the clean set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from coinswarm_mutants.cases import cases
from coinswarm_mutants.clean import clean_set
from coinswarm_mutants.judging import failing, outcomes

if TYPE_CHECKING:
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


@pytest.mark.parametrize("name", chosen())
def test_a_twin_fails_nothing(name: str) -> None:
    assert failing(CASES[name], "twin", only=tuple(CASES[name].fails)) == set()


def test_each_check_lets_a_twin_pass() -> None:
    every = {check for case in CASES.values() for check in case.fails}
    assert {check for name in chosen() for check in CASES[name].fails} == every


@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize("subject", clean_set(), ids=lambda subject: re.sub(r"\W+", "-", subject.name))
def test_the_clean_set_raises_no_alarm(subject: Subject, seed: int) -> None:
    assert [(one.id, one.reason) for one in outcomes(subject, seed=seed) if not one.good] == []
