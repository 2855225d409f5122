"""A coordinator: collects ballots and asks the log for decisions, at once while it holds the lease.

It is believed by nobody: what it asks for carries its own proof, and only expiry and a changed roster take a lease.
Several run at once; each tries for the lease when it has run out, first the one whose turn the epoch makes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.quorum import docket as dockets
from coinswarm.memory.quorum.log import Status
from coinswarm.memory.quorum.messages import (
    Answered,
    Effect,
    KeepSeal,
    Leased,
    Message,
    Notice,
    Propose,
    RenewLease,
    Send,
    TakeLease,
    Tick,
    Vote,
)
from coinswarm.memory.quorum.proof import agrees, seals, vouches
from coinswarm.memory.quorum.reader import LogRead
from coinswarm.memory.quorum.records import NO_LEASE, START, Head, Lease, Seal, SealVote

if TYPE_CHECKING:
    from coinswarm.memory.quorum.docket import Docket
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.roster import Roster

TURN_NS = 1_000_000_000
"""How much longer each next candidate waits before it tries for the lease."""

ENTRIES = 10_000
"""After so many entries a holder lets its lease run out, so that the work goes round."""


SEALS_OPEN = 8
"""Under so many heads that are not sealed yet the votes of one voter are kept."""


class Coordinator(NamedTuple):
    """A coordinator's state.

    :param place: among the candidates, from 0; :param candidates: how many there are.
    :param lease: in force, as the log last said.
    :param since: index of the head when this coordinator's lease began.
    :param sealed: index of the last head that q voters signed; :param votes: later heads -> votes by voter.
    """

    name: str
    place: int
    candidates: int
    docket: Docket
    lease: Lease
    since: int
    sealed: int
    votes: dict[int, dict[str, SealVote]]

    @property
    def epoch(self) -> int:
        """Of the lease it believes to hold; 0 for none. The log knows better."""
        return self.lease.epoch if self.lease.holder == self.name else 0


def start(  # noqa: PLR0913 - who it is, and where
    name: str,
    cluster: str,
    shard: str,
    roster: Roster,
    scheme: Scheme,
    *,
    place: int = 0,
    candidates: int = 1,
    seen: Head = START,
) -> Coordinator:
    """A coordinator as it starts.

    :param roster: of version 0.
    :param seen: the highest head on its disk.
    """
    return Coordinator(
        name=name,
        place=place,
        candidates=candidates,
        docket=dockets.new_docket(cluster, shard, roster, scheme, seen),
        lease=NO_LEASE,
        since=0,
        sealed=0,
        votes={},
    )


Event = Message | Tick | LogRead | Answered | Leased


def step(  # noqa: C901, PLR0911 - one arm per event
    coordinator: Coordinator, event: Event, now_ns: int
) -> tuple[Coordinator, tuple[Effect, ...]]:
    """What a coordinator becomes, and wants done, when something happens.

    :param now_ns: its monotonic clock, above 0; only differences of it mean anything.
    """
    docket = coordinator.docket
    if docket.reader.halted:
        return coordinator, ()
    match event:
        case Vote():
            return _hear(coordinator, event, now_ns)
        case Propose(envelope):
            docket, found = dockets.admit(docket, envelope)
            if found is not None:
                docket, _ = dockets.ripen(docket, found, now_ns, coordinator.epoch)
            return _press(coordinator._replace(docket=docket), now_ns)
        case LogRead():
            docket, effects = dockets.take_in(docket, event, now_ns, coordinator.epoch)
            coordinator, more = _press(coordinator._replace(docket=docket), now_ns)
            return coordinator, (*effects, *more)
        case Answered():
            return _answered(coordinator, event, now_ns)
        case Leased(lease):
            return _leased(coordinator, lease), ()
        case Notice(head):
            if head.index <= docket.fold.head.index:
                return coordinator, ()
            docket, effects = dockets.look(docket, now_ns)
            return coordinator._replace(docket=docket), effects
        case SealVote():
            return _seal(coordinator, event)
        case Tick():
            return _tick(coordinator, now_ns)


def _press(coordinator: Coordinator, now_ns: int) -> tuple[Coordinator, tuple[Effect, ...]]:
    docket, effects = dockets.press(coordinator.docket, now_ns, coordinator.epoch)
    return (coordinator if docket is coordinator.docket else coordinator._replace(docket=docket)), effects


def _hear(coordinator: Coordinator, vote: Vote, now_ns: int) -> tuple[Coordinator, tuple[Effect, ...]]:
    docket, case, effects = dockets.hear(coordinator.docket, vote)
    if case is None or docket is coordinator.docket:
        return coordinator, effects
    docket, _ = dockets.ripen(docket, case, now_ns, coordinator.epoch)
    coordinator, more = _press(coordinator._replace(docket=docket), now_ns)
    return coordinator, (*effects, *more)


def _answered(coordinator: Coordinator, event: Answered, now_ns: int) -> tuple[Coordinator, tuple[Effect, ...]]:
    """The log answered: tell that it has grown, take in what was written, and ask for what is due now."""
    docket, effects = dockets.settle_written(coordinator.docket, event.answers, now_ns, coordinator.epoch)
    coordinator = coordinator._replace(docket=docket)
    if any(answer.status is Status.FENCED for answer in event.answers):
        coordinator = coordinator._replace(lease=replace(coordinator.lease, holder=""))
    heads = [answer.head for answer in event.answers if answer.status is Status.DECIDED]
    coordinator, more = _press(coordinator, now_ns) if not docket.reading_ns else (coordinator, ())
    return coordinator, (*effects, *(Send(Notice(head)) for head in heads[-1:]), *more)


def _leased(coordinator: Coordinator, lease: Lease | None) -> Coordinator:
    if lease is None:
        return coordinator
    before = coordinator.epoch
    coordinator = coordinator._replace(lease=lease)
    if coordinator.epoch not in {0, before}:
        coordinator = coordinator._replace(since=coordinator.docket.fold.head.index)
    return coordinator


def _tick(coordinator: Coordinator, now_ns: int) -> tuple[Coordinator, tuple[Effect, ...]]:
    """Read the log, keep or try for the lease, and ask for what is due."""
    docket, reports = dockets.tidy(coordinator.docket, now_ns)
    for case in docket.cases.values():
        docket, _ = dockets.ripen(docket, case, now_ns, coordinator.epoch)
    docket, effects = dockets.look(docket, now_ns)
    coordinator, more = _press(coordinator._replace(docket=docket), now_ns)
    return coordinator, (*reports, *effects, *_hold(coordinator, now_ns), *more)


def _hold(coordinator: Coordinator, now_ns: int) -> tuple[Effect, ...]:
    """Renew the lease, let it go, or try for it."""
    reader, lease = coordinator.docket.reader, coordinator.lease
    if not reader.ready:
        return ()
    now = reader.now_ns(now_ns)
    if coordinator.epoch and now <= lease.expires_ns:
        mine = reader.fold.head.index - coordinator.since < ENTRIES
        return (RenewLease(lease.epoch),) if mine or coordinator.candidates == 1 else ()
    turn = (coordinator.place - lease.epoch) % coordinator.candidates
    if now > lease.expires_ns + turn * TURN_NS:
        return (TakeLease(),)
    return ()


def _seal(coordinator: Coordinator, vote: SealVote) -> tuple[Coordinator, tuple[Effect, ...]]:
    """Collect votes under a head of the log as it is known here."""
    fold, index, scheme = coordinator.docket.fold, vote.head.index, coordinator.docket.scheme
    votes = coordinator.votes.get(index, {})
    if index <= coordinator.sealed or vote.voter in votes or not agrees(vote.head, fold.hash_at):
        return coordinator, ()
    roster = fold.roster_at(index)
    if not vouches(vote, fold.cluster, fold.shard, roster, scheme):
        return coordinator, ()
    votes = {**votes, vote.voter: vote}
    chosen = tuple(one for _, one in sorted(votes.items()))
    if not seals(chosen, fold.cluster, fold.shard, roster, scheme):
        return coordinator._replace(votes=_newest({**coordinator.votes, index: votes}, vote.voter)), ()
    later = {place: found for place, found in coordinator.votes.items() if place > index}
    return coordinator._replace(sealed=index, votes=later), (KeepSeal(Seal(vote.head, chosen)),)


def _newest(votes: dict[int, dict[str, SealVote]], voter: str) -> dict[int, dict[str, SealVote]]:
    """Votes under heads, of one voter the newest few only: who vouches for every head fills no memory."""
    old = sorted(index for index, those in votes.items() if voter in those)[:-SEALS_OPEN]
    kept = {
        index: {name: one for name, one in those.items() if name != voter} if index in old else those
        for index, those in votes.items()
    }
    return {index: those for index, those in kept.items() if those}
