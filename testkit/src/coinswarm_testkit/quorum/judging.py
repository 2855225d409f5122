"""What was wrong at the end of a history (I9, I10, I11), beside what was wrong on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT
from coinswarm.memory.quorum.verify import verify
from coinswarm_testkit.quorum.node import CLUSTER, SHARD
from coinswarm_testkit.quorum.plan import SECOND

if TYPE_CHECKING:
    from coinswarm.memory.quorum.records import Envelope, Head
    from coinswarm_testkit.quorum.plan import Sizes
    from coinswarm_testkit.quorum.world import World

LEFT_NS = 8 * SECOND
"""A proposal that was lost with everything in the chaos is decided in so much of the tail: sent again after at most
two seconds, evaluated, lying for two seconds, and a few ticks."""


@dataclass(frozen=True, slots=True)
class History:
    """What came of one history.

    :param violations: invariant and what happened.
    :param faults: what was injected, and how often.
    :param outcomes: how proposals ended, and how many did not.
    """

    seed: int
    sizes: Sizes
    violations: tuple[tuple[str, str], ...]
    faults: Counter[str]
    outcomes: Counter[str]
    trace: str


def in_time(world: World, envelope: Envelope) -> bool:
    """Whether a proposal from the chaos has enough of the tail left to be decided in it."""
    rows, proposal = world.log.rows, envelope.proposal
    version = max(rows.state[subject][0] if subject in rows.state else 0 for subject in proposal.subjects)
    return (
        envelope.id not in rows.decisions
        and envelope.deadline_ns - max(world.database_ns(), rows.head_ns) >= LEFT_NS
        and proposal.base_version <= version
        # What takes a lease, a censor that holds it can delay until its term ends.
        and not (world.plan.censor and proposal.subject == ROSTER_SUBJECT)
    )


def judge(world: World) -> History:
    """What was wrong at the end (I9, I10, I11), beside what was wrong on the way."""
    watch, rows = world.watch, world.log.rows
    report = verify(genesis(CLUSTER, SHARD, world.cast.roster), rows.entries, rows.head, world.cast.scheme, world.seals)
    if world.spoiled:
        judge_spoiled(world, noticed=bool(report.why))
    else:
        if report.why:
            watch.wrong("I9", f"a log that nobody touched does not verify: {report.why}")
        watch.violations += [("I9", f"{node.name} halted") for node in world.nodes if node.halted]
        judge_tail(world)
    outcomes = Counter(outcome.value for outcome, _ in rows.decisions.values())
    trace = digest([rows.head.hash, [list(one) for one in watch.violations], sorted(world.faults.items())])
    return History(world.seed, world.sizes, tuple(watch.violations), world.faults, outcomes, trace)


def judge_spoiled(world: World, *, noticed: bool) -> None:
    """Everybody honest who remembers more, or other things, than the log holds has stopped (I9)."""
    entries = world.log.rows.entries
    hashes = [entry.hash for entry in entries]
    sealed = any(seal.head.hash not in hashes for seal in world.seals)
    # A rewritten past that hangs together, and a log cut short, can be told by seals only; and by who remembers.
    if not noticed and (sealed or (world.spoiled != "restore" and not world.smooth)):
        world.watch.wrong("I9", f"verification does not notice the {world.spoiled}")
    for node in world.nodes:
        if not node.up or node.halted:
            continue
        seen: Head = node.disk.seen
        here = seen.index == 0 or (seen.index <= len(entries) and entries[seen.index - 1].hash == seen.hash)
        if not here and world.spoiled != "edit":
            world.watch.wrong("I9", f"{node.name} saw entry {seen.index}, and goes on with a log without it")


def judge_tail(world: World) -> None:
    """In the tail everything is decided in time; or nothing is, where too few are left."""
    decisions = world.log.rows.decisions
    few = world.plan.special == "minority"
    uses = world.wire.uses if world.wire is not None else set()
    for envelope in world.tail if few else (*world.tail, *world.carried):
        outcome = decisions[envelope.id][0] if envelope.id in decisions else None
        if few and outcome in {Outcome.ACCEPT, Outcome.REJECT}:
            world.watch.wrong("I11", f"{outcome} with fewer than {world.sizes.quorum} voters")
        elif not few and outcome in {None, Outcome.EXPIRED} and envelope.use not in uses:
            world.watch.wrong("I10", f"{envelope.id[:8]} was not decided in time: {outcome}")
