"""Each check against agents that break it: the set of checks that fail must be the one expected."""

from __future__ import annotations

import re

import pytest

from coinswarm_testkit.checks import CHECKS, CheckFailedError, CheckSkipped
from coinswarm_testkit.subject import Subject

IN_PROCESSES = "A10"
"""Starts two processes; run where it matters."""


def subject(name: str, **parts: str) -> Subject:
    return Subject(name, f"poisoned_agents:{name}", **parts)  # type: ignore[arg-type]


def failing(one: Subject, *, processes: bool = False, seed: int = 0) -> set[str]:
    """Which checks the subject fails."""
    failed = set()
    for check in CHECKS:
        if check.id == IN_PROCESSES and not processes:
            continue
        try:
            check.run(one, seed)
        except CheckFailedError:
            failed.add(check.id)
        except CheckSkipped:
            pass
    return failed


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ["Honest", "ReadsTheState", "Remembers"])
def test_honest_agents_fail_nothing(name: str, seed: int) -> None:
    assert failing(subject(name), processes=seed == 0, seed=seed) == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PeeksAtTheNextBar", {"A25", "A30", "A32"}),
        ("PeeksAtASingleBar", {"A30"}),
        ("NormalisesByTheMaximum", {"A25", "A30", "A32"}),
        ("ReadsBeyondTheState", {"A30", "A32"}),
        ("Counts", {"A20"}),
        ("NeverSettles", {"A40"}),
        ("DividesByTheRange", {"A45"}),
        ("NeedsABar", {"A45"}),
        ("SaysSomethingElse", {"A25"}),
    ],
)
def test_a_poisoned_agent_fails_what_it_breaks(name: str, expected: set[str]) -> None:
    assert failing(subject(name)) == expected


@pytest.mark.parametrize("name", ["RoundsInPlace", "WritesToTheBars"])
def test_an_agent_that_writes_to_its_bars_is_caught(name: str) -> None:
    check = next(check for check in CHECKS if check.id == "A47")
    with pytest.raises(CheckFailedError, match=r"changed the bars|read-only"):
        check.run(subject(name), 0)


def test_two_processes_tell_hash_order_apart() -> None:
    assert failing(subject("FollowsTheHash"), processes=True) == {"A10"}


def test_a_process_that_fails_is_a_failure() -> None:
    check = next(check for check in CHECKS if check.id == "A10")
    with pytest.raises(CheckFailedError, match=r"ended with 1: .*no_such_module"):
        check.run(Subject("gone", "no_such_module:Agent"), 0)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"settings_target": "poisoned_agents:Strict"}, set()),
        ({"settings_target": "poisoned_agents:Lax"}, {"P40"}),
        ({"plugin_module": "light_plugin"}, set()),
        ({"plugin_module": "heavy_plugin"}, {"P20"}),
        ({"plugin_module": "no_such_plugin"}, {"P20"}),
    ],
)
def test_packaging(parts: dict[str, str], expected: set[str]) -> None:
    one = subject("Configured" if "settings_target" in parts else "Honest", **parts)
    failed = set()
    for check in CHECKS:
        if check.category == 0:
            try:
                check.run(one, 0)
            except CheckFailedError:
                failed.add(check.id)
            except CheckSkipped:
                pass
    assert failed == expected


def test_defaults_that_are_refused_fail() -> None:
    check = next(check for check in CHECKS if check.id == "P40")
    with pytest.raises(CheckFailedError, match=r"its own settings are refused: .*window"):
        check.run(subject("Configured", settings_target="poisoned_agents:Demanding"), 0)


def test_a_message_names_the_bar_and_both_answers() -> None:
    check = next(check for check in CHECKS if check.id == "A30")
    with pytest.raises(CheckFailedError, match=r"differ at bar 499 \(1 of 800 bars\): .*stop_ticks \d+ and \d+"):
        check.run(subject("PeeksAtASingleBar"), 0)


def test_identifiers_are_stable_and_spaced() -> None:
    names = [check.id for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z]\d\d", name) for name in names)
    assert names[0] == "P20"
    assert all(0 <= check.category <= 7 for check in CHECKS)
