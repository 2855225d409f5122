"""What the log's owner can do to a log: restore an old backup, edit a row, rewrite the past until it hangs together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.memory.quorum.records import Outcome

if TYPE_CHECKING:
    from coinswarm.memory.quorum.inmemory import Rows
    from coinswarm_testkit.quorum.world import World


def save(world: World) -> None:
    """A backup is taken."""
    world.backup = world.log.rows.copy()


def spoil(world: World) -> None:
    """The log's owner restores an old backup, or changes the past."""
    rows, backup = world.log.rows, world.backup
    if world.plan.special == "restore":
        if backup is None or len(backup.entries) == len(rows.entries):
            return
        world.log.rows = backup
        world.watch.forked = True
    elif not rows.entries:
        return
    else:
        place = world.rng.randrange(len(rows.entries))
        edit(world, rows, place)
    world.spoiled = world.plan.special
    world.faults[world.plan.special] += 1


def edit(world: World, rows: Rows, place: int) -> None:
    """Change one row; a rewrite also makes every later hash fit, and the head."""
    entry = rows.entries[place]
    world.watch.forked = True
    if world.rng.random() < 0.5:  # noqa: PLR2004 - a lie that contradicts its own ballots, or one that does not
        other = Outcome.REJECT if entry.outcome is Outcome.ACCEPT else Outcome.ACCEPT
        rows.entries[place] = replace(entry, outcome=other)
    else:
        rows.entries[place] = replace(entry, at_ns=entry.at_ns - 1)
        before = rows.entries[place - 1].at_ns if place else 0
        world.smooth = place + 1 if world.plan.special == "rewrite" and before < entry.at_ns else 0
    if world.plan.special == "rewrite":
        for number in range(place + 1, len(rows.entries)):
            rows.entries[number] = replace(rows.entries[number], previous=rows.entries[number - 1].hash)
        rows.head = rows.entries[-1].head
