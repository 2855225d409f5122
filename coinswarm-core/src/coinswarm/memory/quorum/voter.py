"""A voter: judges each proposal once, writes its ballot down, then sends it; and decides what others leave lying.

Pure: ``step`` does no I/O, reads no clock, and changes nothing in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.canonical import digest
from coinswarm.memory.quorum import docket as dockets
from coinswarm.memory.quorum.docket import Case, Docket
from coinswarm.memory.quorum.log import Status
from coinswarm.memory.quorum.messages import (
    Answered,
    Deferred,
    Effect,
    Evaluate,
    Evaluated,
    Evaluations,
    Keep,
    Kept,
    Message,
    Notice,
    Propose,
    Report,
    Reuse,
    Send,
    Tick,
    Vote,
)
from coinswarm.memory.quorum.reader import LogRead
from coinswarm.memory.quorum.records import START, Ballot, Envelope, Head, SealVote, signed_together
from coinswarm.memory.quorum.roster import reconfigures
from coinswarm.memory.quorum.ruling import is_stale, successor
from coinswarm.memory.quorum.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.memory.quorum.keys import Scheme, Signer
    from coinswarm.memory.quorum.reader import Reader
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.memory.quorum.ruling import Standing

AGAIN_NS = 2_000_000_000
"""After how long a vote on what is not decided is sent again: who takes over may not have listened before."""

SEAL_EVERY = 1_000
"""Entries between two seals."""

_NO_ROSTER = digest({"schema": "coinswarm.findings/1", "failed": ["roster"]})
"""What a voter finds of a change to the roster that is none: whatever its plugin thinks."""


class Voter(NamedTuple):
    """A voter's state.

    :param uses: submitter and nonce -> the open proposal that came first under it.
    :param sealed: index of the last head that it signed.
    :param seal_every: entries between two seals.
    """

    name: str
    signer: Signer
    docket: Docket
    uses: Table[Envelope]
    sealed: int
    seal_every: int


def start(  # noqa: PLR0913 - who it is, and what its disk holds
    name: str,
    signer: Signer,
    cluster: str,
    shard: str,
    roster: Roster,
    scheme: Scheme,
    *,
    kept: Iterable[Vote] = (),
    seen: Head = START,
    seal_every: int = SEAL_EVERY,
) -> Voter:
    """A voter as it starts, for the first time or again.

    :param roster: of version 0.
    :param kept: the votes on its disk, at least those on proposals that are not decided.
    :param seen: the highest head on its disk.
    """
    docket, uses = dockets.new_docket(cluster, shard, roster, scheme, seen), Table[Envelope]()
    for vote in kept:
        case = Case(envelope=vote.envelope, ballots={name: vote.ballot}, mine=vote)
        docket, _ = dockets.put(docket, case)
        uses = uses.put(vote.envelope.use, vote.envelope)
    return Voter(
        name=name, signer=signer, docket=docket, uses=uses, sealed=seen.index // seal_every, seal_every=seal_every
    )


Event = Message | Tick | Evaluated | Deferred | Evaluations | Kept | LogRead | Answered


def step(voter: Voter, event: Event, now_ns: int) -> tuple[Voter, tuple[Effect, ...]]:  # noqa: C901, PLR0911 - one arm per event
    """What a voter becomes, and wants done, when something happens.

    :param now_ns: its monotonic clock, above 0; only differences of it mean anything.
    """
    if voter.docket.reader.halted:
        return voter, ()
    match event:
        case Vote():
            return _hear(voter, event, now_ns)
        case Propose(envelope):
            return _propose(voter, envelope, now_ns)
        case Kept(message):
            return _kept(voter, message, now_ns)
        case Evaluated() | Deferred():
            return _evaluated(voter, (event,))
        case Evaluations(results):
            return _evaluated(voter, results)
        case LogRead():
            return _read(voter, event, now_ns)
        case Answered():
            docket, effects = dockets.settle(voter.docket, now_ns)
            heads = [answer.head for answer in event.answers if answer.status is Status.DECIDED]
            return voter._replace(docket=docket), (*effects, *(Send(Notice(head)) for head in heads[-1:]))
        case Notice(head):
            if head.index <= voter.docket.fold.head.index:
                return voter, ()
            docket, effects = dockets.look(voter.docket, now_ns)
            return _at(voter, docket), effects
        case Tick():
            return _tick(voter, now_ns)
        case _:
            return voter, ()


def _with(voter: Voter, case: Case) -> Voter:
    return _at(voter, dockets.put(voter.docket, case)[0])


def _at(voter: Voter, docket: Docket) -> Voter:
    # Half the price of ``_replace``, on the way of every message.
    return Voter(voter.name, voter.signer, docket, voter.uses, voter.sealed, voter.seal_every)


def _propose(voter: Voter, envelope: Envelope, now_ns: int) -> tuple[Voter, tuple[Effect, ...]]:
    """A proposal came, perhaps again: who asks again has not heard the answer."""
    docket, case = dockets.admit(voter.docket, envelope)
    if case is None:
        return _at(voter, docket), ()
    if case.mine is not None:
        return _again(_at(voter, docket), case, now_ns)
    docket, case = dockets.ripen(docket, case, now_ns, 0)
    base = envelope.proposal.base_version
    if base and docket.reader.ready and base > docket.fold.standing(envelope).version:
        docket, effects = dockets.look(docket, now_ns)  # what it starts from was decided just now, or will be
        return _at(voter, docket), effects
    return _consider(_at(voter, docket), case)


def _again(voter: Voter, case: Case, now_ns: int) -> tuple[Voter, tuple[Effect, ...]]:
    """Send a vote once more."""
    assert case.mine is not None, "there is one"
    return _with(voter, case._replace(sent_ns=now_ns)), (Send(case.mine),)


def _consider(voter: Voter, case: Case) -> tuple[Voter, tuple[Effect, ...]]:
    """Have a proposal evaluated if it can be and was not."""
    reader, envelope = voter.docket.reader, case.envelope
    if case.busy or case.mine is not None or not reader.ready:
        return voter, ()
    standing = reader.fold.standing(envelope)
    if not _open(reader, envelope, standing):
        return voter, ()
    if not _seated(voter, reader.fold.roster):
        return voter, ()
    if envelope.proposal.base_version != standing.version:
        return voter, ()  # it starts from what is still to come: no ballot yet
    first = voter.uses.get(envelope.use)
    if first is not None and first.id != envelope.id:
        # Marked busy for good: never judged here, and reported once.
        return _with(voter, case._replace(busy=True)), (Report(Reuse(first, envelope)),)
    docket, _ = dockets.put(voter.docket, case._replace(busy=True))
    return voter._replace(docket=docket, uses=voter.uses.put(envelope.use, envelope)), (Evaluate(envelope),)


def _seated(voter: Voter, roster: Roster) -> bool:
    """Whether a roster has a seat for it, with the key that it signs with: else nothing counts that it signs there."""
    return roster.voter_keys.get(voter.name) == voter.signer.key


def _open(reader: Reader, envelope: Envelope, standing: Standing) -> bool:
    """Whether a ballot on a proposal could still matter; the log's clock decides, not the voter's."""
    return reader.log_ns <= envelope.deadline_ns and not is_stale(envelope, standing)


def _evaluated(voter: Voter, results: Iterable[Evaluated | Deferred]) -> tuple[Voter, tuple[Effect, ...]]:
    """Sign what was judged, and have it written down; nothing is sent yet."""
    ballots, envelopes, reader = [], [], voter.docket.reader
    for result in results:
        case = voter.docket.cases.get(result.proposal)
        if case is None or (isinstance(result, Evaluated) and (case.mine is not None or not case.busy)):
            continue
        envelope = case.envelope
        if isinstance(result, Deferred) or not _open(reader, envelope, reader.fold.standing(envelope)):
            voter = _with(voter, case._replace(busy=False))
            continue
        envelopes.append(envelope)
        ballots.append(_ballot(voter, envelope, result))
    seen, signed = reader.seen, signed_together(ballots, voter.signer)
    return voter, tuple(Keep(Vote(envelope, ballot), seen) for envelope, ballot in zip(envelopes, signed, strict=True))


def _ballot(voter: Voter, envelope: Envelope, result: Evaluated) -> Ballot:
    """The ballot on what a plugin found, not signed yet."""
    docket = voter.docket
    accepts, found = result.accepts, result.findings
    if reconfigures(envelope.proposal) and successor(envelope, docket.fold.roster) is None:
        accepts, found = False, _NO_ROSTER
    return Ballot(
        cluster=envelope.cluster,
        shard=envelope.shard,
        roster=envelope.roster,
        proposal=envelope.id,
        accepts=accepts,
        findings=found,
        voter=voter.name,
        seen=docket.reader.seen,
    )


def _kept(voter: Voter, message: Message, now_ns: int) -> tuple[Voter, tuple[Effect, ...]]:
    """What lies on the disk may be sent: that, and nothing else."""
    if not isinstance(message, Vote):
        return voter, (Send(message),)
    case = voter.docket.cases.get(message.ballot.proposal)
    if case is None:
        return voter, ()
    voter = _with(voter, case._replace(mine=message, sent_ns=now_ns, busy=False))
    voter, effects = _hear(voter, message, now_ns)
    return voter, (Send(message), *effects)


def _hear(voter: Voter, vote: Vote, now_ns: int) -> tuple[Voter, tuple[Effect, ...]]:
    """A vote came: count it, and judge the proposal too if that is new."""
    docket, case, effects = dockets.hear(voter.docket, vote)
    if docket is voter.docket:
        return voter, effects
    if case is None:
        return _at(voter, docket), effects
    docket, case = dockets.ripen(docket, case, now_ns, 0)
    voter, more = _consider(_at(voter, docket), case)
    return voter, (*effects, *more) if effects else more


def _read(voter: Voter, answer: LogRead, now_ns: int) -> tuple[Voter, tuple[Effect, ...]]:
    """The log answered: judge what can be judged now, and sign the head where it is time."""
    docket, effects = dockets.take_in(voter.docket, answer, now_ns, 0)
    uses = voter.uses
    for use, envelope in voter.uses.items():
        if envelope.id not in docket.cases:
            uses = uses.drop(use)
    voter = voter._replace(docket=docket, uses=uses)
    if not docket.reader.ready:
        return voter, effects
    for case in docket.cases.values():
        voter, more = _consider(voter, case)
        effects = (*effects, *more)
    fold, due = voter.docket.fold, voter.docket.fold.head.index // voter.seal_every
    index = due * voter.seal_every
    roster = fold.roster_at(index)
    if due > voter.sealed and _seated(voter, roster):
        found = fold.hash_at(index)
        assert found is not None, "it lies behind the head"
        sealed = SealVote(
            cluster=fold.cluster,
            shard=fold.shard,
            roster=roster.version,
            head=Head(index, found),
            voter=voter.name,
        ).signed(voter.signer)
        voter = voter._replace(sealed=due)
        effects = (*effects, Keep(sealed, voter.docket.reader.seen))
    return voter, effects


def _tick(voter: Voter, now_ns: int) -> tuple[Voter, tuple[Effect, ...]]:
    """Read the log, judge what was put off, and see to what others leave lying: say it again, and ask for it."""
    docket, reports = dockets.tidy(voter.docket, now_ns)
    voter = voter._replace(docket=docket)
    said: tuple[Effect, ...] = reports
    for case in voter.docket.cases.values():
        if case.mine is not None and now_ns - case.sent_ns >= AGAIN_NS:
            voter, more = _again(voter, case, now_ns)
            said = (*said, *more)
    docket, effects = dockets.look(voter.docket, now_ns)
    docket, more = dockets.press(docket, now_ns, 0)
    return voter._replace(docket=docket), (*effects, *said, *more)
