"""A process of the simulated world: its state, which dies with it, and its disk, which does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.memory.quorum import coordinator, submitter, voter
from coinswarm.memory.quorum.messages import Propose, Vote
from coinswarm.memory.quorum.records import START, SealVote
from coinswarm_testkit.quorum.scheme import SUBMITTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coinswarm.memory.quorum.messages import Effect, Evaluated
    from coinswarm.memory.quorum.records import Envelope, Head
    from coinswarm_testkit.quorum.scheme import Cast

CLUSTER, SHARD = "north", "main"
PATIENCE_NS = 500_000_000
"""As the driver has it: after so long something lies."""

SEAL_EVERY = 2
CANDIDATES = 2


class Disk:
    """What was written and synced."""

    def __init__(self) -> None:
        self.votes: dict[str, Vote] = {}
        self.seals: dict[int, SealVote] = {}
        self.proposals: dict[str, Envelope] = {}
        self.seen: Head = START

    def keep(self, message: Propose | Vote | SealVote) -> Propose | Vote | SealVote:
        """Write under the primary key; what lay there already stays, and is returned."""
        if isinstance(message, Vote):
            return self.votes.setdefault(message.ballot.proposal, message)
        if isinstance(message, SealVote):
            return self.seals.setdefault(message.head.index, message)
        self.proposals.setdefault(message.envelope.id, message.envelope)
        return message

    def remember(self, seen: Head) -> None:
        """Write the highest head."""
        if seen.index > self.seen.index:
            self.seen = seen


class Node:
    """A voter, a coordinator or the submitter.

    :param place: among its kind.
    :ivar life: which run of the process this is: what an earlier one asked for is not answered to this one.
    """

    def __init__(self, kind: str, place: int, world_cast: Cast, clock_ns: int) -> None:
        self.kind = kind
        self.place = place
        self.name = {"voter": f"v{place}", "coordinator": f"c{place}", "submitter": SUBMITTER}[kind]
        self.cast = world_cast
        self.clock_ns = clock_ns
        self.disk = Disk()
        self.life = 0
        self.up = True
        self.paused = False
        self.backlog: list[Any] = []
        self.judged: list[Evaluated] = []
        self.since: dict[str, int] = {}
        self.state: Any = None
        self.step: Callable[[Any, Any, int], tuple[Any, tuple[Effect, ...]]]
        self.start()

    def start(self, read: Callable[[Any], Any] | None = None) -> None:
        """Start the process with what its disk holds.

        :param read: how each message of it is read.
        """
        self.life += 1
        self.up, self.paused, self.backlog, self.judged, self.since = True, False, [], [], {}
        cast, disk = self.cast, self.disk
        if self.kind == "voter":
            self.step = voter.step
            self.state = voter.start(
                self.name,
                cast.voters[self.place],
                CLUSTER,
                SHARD,
                cast.roster,
                cast.scheme,
                kept=_read(disk.votes.values(), read),
                seen=disk.seen,
                seal_every=SEAL_EVERY,
            )
        elif self.kind == "coordinator":
            self.step = coordinator.step
            self.state = coordinator.start(
                self.name,
                CLUSTER,
                SHARD,
                cast.roster,
                cast.scheme,
                place=self.place,
                candidates=CANDIDATES,
                seen=disk.seen,
            )
        else:
            self.step = submitter.step
            held = [one.envelope for one in _read(map(Propose, disk.proposals.values()), read)]
            self.state = submitter.start(CLUSTER, SHARD, cast.roster, cast.scheme, kept=held, seen=disk.seen)

    def crash(self) -> None:
        """Lose the state, and whatever was not synced."""
        self.life += 1
        self.up, self.state, self.backlog = False, None, []

    def listens(self, event: object, now: int) -> bool:
        """Whether its driver listens to a message: a coordinator's while it leads, a voter's as long as something lies.

        Of a voter that is others' votes only.
        """
        if self.kind == "coordinator":
            return type(event) not in {Propose, Vote} or bool(self.state.epoch)
        if self.kind != "voter" or type(event) is not Vote:
            return True
        self.since = {proposal: self.since.get(proposal, now) for proposal in self.state.docket.cases}
        return any(since + PATIENCE_NS <= now for since in self.since.values())

    @property
    def halted(self) -> bool:
        """Whether it stopped for good."""
        return self.state is not None and self.state.docket.reader.halted is not None


def _read(held: Iterable[Any], read: Callable[[Any], Any] | None) -> list[Any]:
    return [one if read is None else read(one) for one in held]
