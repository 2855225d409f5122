"""I: what an ingestor owes core, in whose process it runs for months: it loses, holds up and leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.ingestors import INGESTOR, demand_only, demand_same, played, run, streams, unbroken
from coinswarm_testkit.verdicts import CheckFailedError, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.checks.ingestors import Run

BEHIND_SECONDS = 1.0
"""For how long core is behind: longer than who will not wait for it waits."""

RUNS = 3
"""Runs of one object beside the first, which may load what it needs."""

HELD_SECONDS = 0.25
"""For how long a call may hold up the event loop, which it shares with every other source and the desk."""


IDLE_SECONDS, IDLE_TIMES = 0.5, 5
"""For how long an idle loop is watched after each run, and how often its longest hold is allowed for: another process
may have had the cores."""


def core_is_behind(bench: Bench) -> None:
    """I35: what core did not take comes again from the same object, and core may be slow to take it."""
    unbroken(bench)
    with played(bench) as (link, player):
        if streams(bench):
            run(bench, link, refusing=True)
        else:
            run(bench, link)
        player.rewind()
        found = run(bench, link, behind=BEHIND_SECONDS)
    when = "when core did not take what it gave, and begins anew,"
    demand_only(found.raised, {"RetryableError"}, when)
    demand_same(found, bench, when)


def holes_are_true(bench: Bench) -> None:
    """I62: a hole is where observations may be missing: it covers nothing that came."""
    whole = unbroken(bench)
    _demand_true_holes(whole, {one.identity for one in whole.observations}, "while nothing is missing")
    if streams(bench):
        with played(bench, cut=True) as (link, _):
            found = run(bench, link)
        _demand_true_holes(found, set(), "after a lost connection")


def _demand_true_holes(found: Run, known: set[tuple[str, str, str, str]], when: str) -> None:
    """Hold that no hole covers what came before it was told.

    :param known: what it may not cover whenever it comes.
    """
    came = [one for one in found.observations if one.identity in known]
    for batch in found.batches:
        for hole in batch.holes:
            lane = hole.source, hole.channel, hole.subject
            for one in came:
                if one.lane == lane and hole.begin < one.published < hole.end:
                    message = f"{when} it tells a hole from {hole.begin} to {hole.end}, in which {one.identity} came"
                    raise CheckFailedError(message)
        came.extend(batch.observations)


def _repeated(bench: Bench) -> tuple[list[float], Mapping[str, int], Mapping[str, int]]:
    """For how long each run of one object held up the loop, and what there was before and after; measured once.

    What a busy machine does to a loop that is idle is taken off.
    """
    if "repeated" not in bench.kept:
        unbroken(bench)
        with played(bench) as (link, player):
            run(bench, link)
            before = link.ask("ingestors.left")
            held = []
            for _ in range(RUNS):
                player.rewind()
                longest = run(bench, link).held
                held.append(max(0.0, longest - IDLE_TIMES * link.ask("ingestors.idle", seconds=IDLE_SECONDS)))
            bench.kept["repeated"] = held, before, link.ask("ingestors.left", most=before)
    found: tuple[list[float], Mapping[str, int], Mapping[str, int]] = bench.kept["repeated"]
    return found


def holds_nobody_up(bench: Bench) -> Measured:
    """I72: a call holds up nothing else in the event loop: what blocks is done in a thread, or awaited."""
    held, _, _ = _repeated(bench)
    shortest = round(min(held), 3)
    measured = Measured({"seconds": shortest}, {"seconds": f"<= {HELD_SECONDS:g}"})
    if shortest > HELD_SECONDS:
        message = f"it holds up the event loop for {shortest:.2f} s: await, or do in a thread, what takes so long"
        raise CheckFailedError(message, measured)
    return measured


def leaves_nothing(bench: Bench) -> None:
    """I75: calls that are over leave nothing: no task, no thread, no open file or connection for each of them."""
    _, before, after = _repeated(bench)
    for name, count in after.items():
        more = count - before[name]
        if more >= RUNS:
            message = f"{RUNS} more runs leave {more} more {WORDS[name]}: end what a call begins"
            raise CheckFailedError(message)


WORDS = {"tasks": "tasks", "threads": "threads", "files": "open files or connections"}

CHECKS = (
    Check("I35", "what core did not take comes again", 1, core_is_behind, INGESTOR, safety=True),
    Check("I62", "a hole covers nothing that came", 7, holes_are_true, INGESTOR),
    Check("I72", "holds up nothing else", 4, holds_nobody_up, INGESTOR),
    Check("I75", "leaves nothing running or open", 7, leaves_nothing, INGESTOR),
)
