"""Each mutant fails what it states; `./dev mutants` judges them all by every check."""

from __future__ import annotations

import pytest

from coinswarm_mutants.__main__ import uncovered
from coinswarm_mutants.cases import cases
from coinswarm_mutants.judging import failing
from coinswarm_testkit.checks import CHECKS

CASES = {case.name: case for case in cases()}


@pytest.mark.parametrize("name", CASES)
def test_a_mutant_fails_what_it_states(name: str) -> None:
    case = CASES[name]
    assert failing(case, "mutant", only=tuple(case.fails)) == case.fails


def test_no_check_could_be_left_out_unnoticed() -> None:
    assert uncovered() == []


def test_cases_name_known_checks_and_say_what_is_wrong() -> None:
    known = {check.id for check in CHECKS}
    for case in cases():
        assert case.fails, case.name
        assert case.fails <= known, case.name
        assert case.about.endswith("."), case.name
