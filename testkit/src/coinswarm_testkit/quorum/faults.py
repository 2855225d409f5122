"""What strikes a world, and how it is mended: processes crash and pause, the network parts, the database goes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.memory.quorum.wire import MalformedError
from coinswarm_testkit.quorum import judging, wire
from coinswarm_testkit.quorum.plan import CHAOS_NS, SECOND

if TYPE_CHECKING:
    from coinswarm_testkit.quorum.node import Node
    from coinswarm_testkit.quorum.plan import Fault
    from coinswarm_testkit.quorum.world import World


def strike(world: World, fault: Fault) -> None:
    """Something goes wrong, and is mended later."""
    world.faults[fault.kind] += 1
    node, length = world.nodes[fault.target], fault.until_ns - world.now
    if fault.kind == "crash":
        crash(world, node)
        world.later(length, restart, world, node)
    elif fault.kind == "pause":
        node.paused = True
        world.later(length, resume, world, node)
    elif fault.kind == "partition":
        side = {one.name for one in world.nodes if world.rng.random() < 0.5}  # noqa: PLR2004 - two halves
        names = [one.name for one in world.nodes]
        cut = {(one, two) for one in names for two in names if one in side and two not in side}
        if world.rng.random() < 0.5:  # noqa: PLR2004 - in both directions
            cut |= {(two, one) for one, two in cut}
        world.blocked |= cut
        world.later(length, world.blocked.difference_update, cut)
    elif fault.kind == "database":
        world.down = True
        world.later(length, mend, world)
    elif fault.kind == "clock":
        world.step_ns += world.rng.choice((-4, -1, 1, 4)) * SECOND
    else:
        world.index.lose(fault.kind)


def crash(world: World, node: Node) -> None:
    """A process dies; one that lies with amnesia also loses its disk."""
    node.crash()
    world.watch.doubles.pop(node.name, None)  # what it had heard is gone with it
    if node.kind == "voter" and world.plan.liars.get(node.place) == "amnesia":
        world.faults["liar: amnesia"] += 1
        node.disk = type(node.disk)()


def restart(world: World, node: Node) -> None:
    """A process comes back, unless it has."""
    gone = node.kind == "voter" and node.place in world.plan.dead and world.now >= CHAOS_NS
    if not node.up and not gone:
        try:
            node.start(wire.kept if world.wire is not None else None)
        except MalformedError:
            node.crash()  # noted when it was written


def resume(world: World, node: Node) -> None:
    """A process goes on where it stood, with what was waiting for it."""
    if node.paused:
        node.paused, waiting = False, node.backlog
        node.backlog = []
        for event in waiting:
            world.tell(node, node.life, event)


def mend(world: World) -> None:
    """The database answers again."""
    world.down = False


def calm(world: World) -> None:
    """The tail begins: what can be mended is mended, and the dead stay dead."""
    world.blocked.clear()
    mend(world)
    for node in world.nodes:
        if node.kind == "voter" and node.place in world.plan.dead:
            world.faults["dead"] += 1
            node.crash()
            continue
        resume(world, node)
        restart(world, node)
    world.carried += [envelope for envelope in world.desk.disk.proposals.values() if judging.in_time(world, envelope)]
