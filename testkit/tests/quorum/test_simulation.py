"""The simulator: no invariant is violated, every mutant is caught, and a seed is a history."""

from __future__ import annotations

import subprocess
import sys
from random import Random
from typing import Any

import pytest

from coinswarm_testkit.quorum import run
from coinswarm_testkit.quorum.mutants import MUTANTS
from coinswarm_testkit.quorum.plan import CONFIGURATIONS, LIES, SPECIAL, Sizes, draw
from coinswarm_testkit.quorum.watch import INVARIANTS
from coinswarm_testkit.quorum.world import World

EACH = 40


@pytest.mark.parametrize("sizes", CONFIGURATIONS, ids=str)
def test_no_invariant_is_violated(sizes: Sizes) -> None:
    tally = run.run_batch(run.Batch(sizes, 100_000, EACH))
    assert tally.examples == []
    assert (tally.histories, tally.real, tally.violations.total()) == (EACH, 1, 0)
    assert {"accept", "reject", "conflict", "expired"} <= set(tally.outcomes)
    assert tally.outcomes["accept"] > EACH, "it decides, too"
    assert {"lost", "doubled", "crash", "pause", "cut off", "censored", "forged request"} <= set(tally.faults)


@pytest.mark.parametrize(("sizes", "seed"), [(CONFIGURATIONS[0], 101_884), (CONFIGURATIONS[2], 481)], ids=str)
def test_seeds_in_which_the_watch_once_saw_too_much(sizes: Sizes, seed: int) -> None:
    """A ballot that left its voter in a request before any message; one heard before it could be verified."""
    assert World(seed, sizes).run().violations == ()


@pytest.mark.parametrize("place", range(len(MUTANTS)), ids=lambda place: MUTANTS[place].name.replace(" ", "-"))
def test_every_mutant_is_caught_by_an_invariant_that_it_breaks(place: int) -> None:
    found = run.hunt(place)
    assert found.seed is not None, f"not within {run.WITHIN} seeds"
    assert set(found.by) & set(MUTANTS[place].catches)


def test_every_invariant_has_a_mutant_that_breaks_it() -> None:
    assert {invariant for mutant in MUTANTS for invariant in mutant.catches} == set(INVARIANTS)


def test_plans_hold_every_misfortune_and_no_more_than_must_be_borne() -> None:
    seen: set[str] = set()
    for seed in range(400):
        for sizes in CONFIGURATIONS:
            plan = draw(Random(seed), sizes)  # noqa: S311 - a seed is wanted
            seen |= {*plan.liars.values(), plan.special, *(fault.kind for fault in plan.faults)}
            assert len(plan.liars) <= sizes.faulty
            able = sizes.voters - len(plan.dead | plan.liars.keys())
            assert (able >= sizes.quorum) or plan.special == "minority"
    assert seen >= {*LIES, *SPECIAL, "crash", "pause", "partition", "database", "clock", "flush", "stale-index"}


TRACE = """
from coinswarm_testkit.quorum.plan import CONFIGURATIONS
from coinswarm_testkit.quorum.world import World
for sizes in CONFIGURATIONS:
    print(World(7, sizes).run().trace)
"""


def test_a_seed_is_the_same_history_in_every_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", TRACE],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert outputs.pop().split() == [World(7, sizes).run().trace for sizes in CONFIGURATIONS]


class TwiceWorld(World):
    """Every step is taken twice from the same state: a pure one comes to the same."""

    def tell(self, node: Any, life: int, event: Any) -> None:  # noqa: ANN401 - as in World
        if node.life == life and node.up and not node.paused:
            before, now = node.state, self.now + node.clock_ns
            told = repr(before)
            first = node.step(before, event, now)
            second = node.step(before, event, now)
            assert first == second
            assert repr(before) == told
        super().tell(node, life, event)


@pytest.mark.parametrize("seed", [3, 4])
def test_steps_are_pure(seed: int) -> None:
    assert TwiceWorld(seed, CONFIGURATIONS[1]).run().trace == World(seed, CONFIGURATIONS[1]).run().trace


def test_the_table_tells_what_was_found() -> None:
    tally = run.run_batch(run.Batch(CONFIGURATIONS[0], 0, 1))
    tally.violations["I7"] = 3
    tally.examples = ["(3, 2, 0) seed 0: I7 what"]
    caught = [run.Caught("no fence", 4, ("I6",)), run.Caught("other", None, ())]
    lines = run.table({CONFIGURATIONS[0]: tally}, caught)
    assert lines[1].split()[:5] == ["(3,", "2,", "0)", "1", "1"]
    assert lines[1].split()[-11:] == ["0"] * 6 + ["3"] + ["0"] * 4
    assert "(3, 2, 0) seed 0: I7 what" in lines
    assert [line.split()[-3:] for line in lines[-2:]] == [["fence", "4", "I6"], ["other", "NOT", "CAUGHT"]]


def test_histories_are_spread_over_the_configurations() -> None:
    batches = run.batches(410, 5)
    assert [sum(one.histories for one in batches if one.sizes == sizes) for sizes in CONFIGURATIONS] == [103] * 4
    assert {(one.first, one.histories) for one in batches} == {(5, 50), (55, 50), (105, 3)}


@pytest.mark.integration
def test_the_command_prints_the_table_and_says_how_it_went() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coinswarm_testkit.quorum", "--histories", "4", "--first", "9", "--jobs", "1"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("(N, q, f)")
    assert f"0 violations; {len(MUTANTS)} of {len(MUTANTS)} mutants caught" in done.stdout.splitlines()[-1]
