"""Each check against agents that break it: the set of checks that fail must be the one expected."""

from __future__ import annotations

import re

import pytest

from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.checks import CHECKS, CheckFailedError
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge, outcome

IN_PROCESSES = "A10"
"""Starts two processes; run where it matters."""


def subject(name: str, **parts: str) -> Subject:
    return Subject(name, f"poisoned_agents:{name}", **parts)  # type: ignore[arg-type]


def failing(one: Subject, *, processes: bool = False, seed: int = 0) -> set[str]:
    """Which checks the subject fails."""
    checks = [check for check in checks_for(one.kind, tier="silver") if processes or check.id != IN_PROCESSES]
    return {found.id for found in judge(LocalBench(one, seed), checks) if not found.good}


def run(name: str, one: Subject, seed: int = 0) -> None:
    """Run one check; raises what it raises."""
    next(check for check in CHECKS if check.id == name).run(LocalBench(one, seed))


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
    with pytest.raises(CheckFailedError, match=r"changed the bars|read-only"):
        run("A47", subject(name))


def test_two_processes_tell_hash_order_apart() -> None:
    assert failing(subject("FollowsTheHash"), processes=True) == {"A10"}


def test_a_process_that_fails_is_a_failure() -> None:
    found = outcome(LocalBench(Subject("gone", "no_such_module:Agent")), next(c for c in CHECKS if c.id == "A10"))
    assert not found.good
    assert "no_such_module" in found.reason


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"settings_target": "poisoned_agents:Strict"}, set()),
        ({"settings_target": "poisoned_agents:Lax"}, {"P40"}),
        ({"plugin_module": "light_plugin"}, set()),
        ({"plugin_module": "heavy_plugin"}, {"P20"}),
        ({"plugin_module": "no_such_plugin"}, {"P20", "P25"}),
        ({"plugin_module": "busy_plugin"}, {"P25"}),
    ],
)
def test_packaging(parts: dict[str, str], expected: set[str]) -> None:
    one = subject("Configured" if "settings_target" in parts else "Honest", **parts)
    checks = [check for check in checks_for("agent", tier="bronze") if check.id != "P50"]
    assert {found.id for found in judge(LocalBench(one), checks) if not found.good} == expected


def test_defaults_that_are_refused_fail() -> None:
    with pytest.raises(CheckFailedError, match=r"its own settings are refused: .*window"):
        run("P40", subject("Configured", settings_target="poisoned_agents:Demanding"))


def test_a_message_names_the_bar_and_both_answers() -> None:
    with pytest.raises(CheckFailedError, match=r"differ at bar 499 \(1 of 800 bars\): .*stop_ticks \d+ and \d+"):
        run("A30", subject("PeeksAtASingleBar"))


def test_identifiers_are_stable_and_spaced() -> None:
    names = [check.id for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z]\d\d", name) for name in names)
    assert names[0] == "P10"
    assert all(0 <= check.category <= 7 for check in CHECKS)
