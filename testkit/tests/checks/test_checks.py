"""What checks say, what they are called, and what they do where there is nothing to judge; mutants show the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.checks import CHECKS, TIERS, Check, CheckFailedError, CheckSkipped
from coinswarm_testkit.subject import KINDS, Subject
from coinswarm_testkit.suite import checks_for, outcome
from coinswarm_testkit.verdicts import Result

if TYPE_CHECKING:
    from coinswarm_testkit.bench import Bench

MUTANTS = "coinswarm_mutants"


def run(name: str, subject: Subject, seed: int = 0) -> None:
    """Run one check; raises what it raises."""
    with LocalBench(subject, seed) as bench:
        next(check for check in CHECKS if check.id == name).run(bench)


def test_a_message_names_the_bar_and_both_answers() -> None:
    subject = Subject("peeks", f"{MUTANTS}.agents.peeks_at_a_single_bar:Mutant")
    with pytest.raises(CheckFailedError, match=r"differ at bar 499 \(1 of 800 bars\): .*stop_ticks \d+ and \d+"):
        run("A30", subject)


def test_a_subject_that_cannot_be_had_fails_with_the_reason() -> None:
    with LocalBench(Subject("gone", "no_such_module:Agent")) as bench:
        for check in checks_for("agent", tier="silver"):
            found = outcome(bench, check)
            assert not found.good or found.reason.startswith("it comes without") or "declares no" in found.reason
            assert found.good or "no_such_module" in found.reason


def test_answers_of_no_form_that_a_check_knows_fail_it() -> None:
    """The judge goes on, and the line says where it did not understand."""

    def puzzled(_: Bench) -> None:
        raise IndexError("list index out of range")  # noqa: EM101, TRY003 - as an empty list would

    found = outcome(LocalBench(Subject("x", "a:b")), Check("Z10", "t", 0, puzzled))
    assert found.result is Result.FAILED
    assert found.reason.startswith(
        "its answers could not be judged (IndexError: list index out of range, test_checks.py:"
    )


def test_defaults_that_are_refused_fail() -> None:
    lax = f"{MUTANTS}.packaging.lax_settings"
    subject = Subject("strict", f"{lax}:Twin", f"{lax}:TwinSettings", {"window": "wide"})
    with pytest.raises(CheckFailedError, match=r"its own settings are refused: .*window"):
        run("P40", subject)


def test_an_entry_point_that_cannot_be_imported_fails() -> None:
    subject = Subject("gone", f"{MUTANTS}.agents._honest:Honest", plugin_module="no_such_plugin")
    with pytest.raises(CheckFailedError, match="no_such_plugin cannot be imported: ModuleNotFoundError"):
        run("P20", subject)


def test_an_import_that_ends_the_process_fails() -> None:
    subject = Subject("ends", f"{MUTANTS}.agents._honest:Honest", plugin_module=f"{MUTANTS}.entry.ending")
    with pytest.raises(CheckFailedError, match=r"ends the process \(exit code 0\)"):
        run("P25", subject)


def test_an_agent_that_never_wants_anything_is_no_case_for_stops() -> None:
    subject = Subject("idle", f"{MUTANTS}.agents._honest:Idle")
    with pytest.raises(CheckSkipped, match="never wants a position"):
        run("A52", subject)


def test_identifiers_are_stable_and_spaced() -> None:
    names = [check.id for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z]\d\d", name) for name in names)
    assert names[0] == "P10"
    assert all(0 <= check.category <= 7 for check in CHECKS)
    assert all(check.tier in TIERS and check.kinds <= set(KINDS) for check in CHECKS)


def test_silver_asks_for_what_bronze_asks_for() -> None:
    bronze, silver, gold = (checks_for("agent", tier=tier) for tier in TIERS)
    assert set(bronze) < set(silver) <= set(gold)
    assert all(check.id.startswith("P") for check in bronze)
