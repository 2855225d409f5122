"""The three parts of the quorum, each with its node: what they hear, and what their disks bring back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coinswarm.memory.quorum import coordinator, submitter, voter
from coinswarm.runtime.swarm.node import AUDIT, COMMIT, PROPOSE, VOTE, Node, Part
from coinswarm.runtime.swarm.seating import demand_seat
from coinswarm.runtime.swarm.signatures import Remembering

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Scheme, Signer
    from coinswarm.memory.quorum.log import Log
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.swarm.disk import Disk
    from coinswarm.runtime.swarm.judging import Judge
    from coinswarm.runtime.swarm.telling import Teller


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part takes part.

    :param roster: of version 0.
    :param bus: open.
    :param log: of the shard.
    """

    cluster: str
    shard: str
    roster: Roster
    scheme: Scheme
    bus: MessageBus
    log: Log


def known(place: Place, signer: Signer) -> Signer:
    """A signer whose signatures need not be checked where they were made."""
    return place.scheme.signer(signer) if isinstance(place.scheme, Remembering) else signer


def voter_node(  # noqa: PLR0913 - everything that it joins
    place: Place,
    name: str,
    signer: Signer,
    disk: Disk,
    judge: Judge,
    teller: Teller,
    *,
    new_disk: bool = False,
    seal_every: int = voter.SEAL_EVERY,
    in_force: Callable[[Fold], None] = lambda _fold: None,
    **more: Any,  # noqa: ANN401 - of a node
) -> Node:
    """A voter.

    :param disk: open.
    :param new_disk: whether its disk may be empty although the log is not: it has never voted before.
    :param in_force: as a node's, after the seat was held to that roster.
    """

    def seated(fold: Fold) -> None:
        demand_seat(fold, name, signer.key, "voter")
        in_force(fold)

    kept = disk.votes()
    state = voter.start(
        name,
        known(place, signer),
        place.cluster,
        place.shard,
        place.roster,
        place.scheme,
        kept=kept,
        seen=disk.seen,
        seal_every=seal_every,
    )
    part = Part("voter", name, state, voter.step, (PROPOSE,), at_times=(VOTE,))
    fresh = disk.fresh and not new_disk
    return Node(
        part,
        place.bus,
        place.log,
        place.scheme,
        teller,
        disk=disk,
        judge=judge,
        in_force=seated,
        refuse_fresh=fresh,
        **more,
    )


def coordinator_node(  # noqa: PLR0913 - as above
    place: Place,
    name: str,
    disk: Disk | None,
    teller: Teller,
    *,
    number: int = 0,
    candidates: int = 1,
    **more: Any,  # noqa: ANN401 - of a node
) -> Node:
    """A coordinator.

    :param disk: open, or None: then only the log's own word tells how far it went.
    :param number: its place among the candidates, from 0.
    """
    seen = {} if disk is None else {"seen": disk.seen}
    state = coordinator.start(
        name,
        place.cluster,
        place.shard,
        place.roster,
        place.scheme,
        place=number,
        candidates=candidates,
        **seen,
    )
    part = Part("coordinator", name, state, coordinator.step, (AUDIT,), at_times=(PROPOSE, VOTE))
    return Node(part, place.bus, place.log, place.scheme, teller, disk=disk, **more)


def submitter_node(
    place: Place,
    name: str,
    key: str,
    disk: Disk,
    teller: Teller,
    **more: Any,  # noqa: ANN401 - of a node
) -> Node:
    """A submitter.

    :param key: the public half of what its proposals are signed with.
    :param disk: open.
    """

    def seated(fold: Fold) -> None:
        demand_seat(fold, name, key, "submitter")

    state = submitter.start(
        place.cluster, place.shard, place.roster, place.scheme, kept=disk.proposals(), seen=disk.seen
    )
    part = Part("submitter", name, state, submitter.step, (COMMIT,))
    return Node(part, place.bus, place.log, place.scheme, teller, disk=disk, in_force=seated, **more)
