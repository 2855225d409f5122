"""The log: one transaction decides, and whoever stores it implements these primitives.

The database serialises: the row of the head is locked by every transaction that writes, so that there is one order.
``decide``, ``take`` and ``renew`` are written once, over ``Transaction``; a SQL store and ``inmemory`` bring the
primitives. All are synchronous: a driver runs them in a worker thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from coinswarm.memory.quorum.codec import BODY_LIMIT
from coinswarm.memory.quorum.proof import agrees, proves, submitted
from coinswarm.memory.quorum.records import Entry, Head, Lease, Outcome
from coinswarm.memory.quorum.roster import has_kept_its_seat, reconfigures
from coinswarm.memory.quorum.ruling import Standing, ruling, successor, version_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.reader import LogRead
    from coinswarm.memory.quorum.records import Ballot, Envelope
    from coinswarm.memory.quorum.roster import Roster

LEASE_NS = 3_000_000_000
"""How long a lease lasts without being renewed."""

TERM_NS = 600_000_000_000
"""How long one holder may renew: nobody coordinates for ever, least of all one that censors."""


class Transaction(ABC):
    """What one transaction can read, lock and write. All or nothing; locks are held to its end.

    Locks are taken in the order of the methods below, so that no two transactions wait for each other.
    """

    @abstractmethod
    def now_ns(self) -> int:
        """The database's clock, nanoseconds since the epoch. It may step."""

    @abstractmethod
    def lock_lease(self, *, write: bool) -> Lease:
        """The lease; locked against writers, or against everybody. ``NO_LEASE`` where there never was one."""

    @abstractmethod
    def set_lease(self, lease: Lease) -> None:
        """Replace the lease."""

    @abstractmethod
    def lock_head(self) -> tuple[Head, int]:
        """The head and the time of its entry (0 for none), locked against everybody."""

    def foresee(self, requests: Sequence[Request]) -> None:  # noqa: B027 - most have no use for it
        """Lock the lease against writers, the head, and what these requests may change, and learn what will be asked.

        Called first, so that a database does all of it at once, instead of a row at a time. Nothing has been checked:
        whatever is in a request may be nonsense.
        """

    @abstractmethod
    def lock_version(self, subject: str) -> int:
        """The subject's version, 0 where there is none, locked against everybody."""

    @abstractmethod
    def roster(self, version: int | None) -> Roster | None:
        """The roster of a version, or the one in force; None where there is none of that version."""

    @abstractmethod
    def hash_at(self, index: int) -> str | None:
        """The hash of an entry (``GENESIS`` for 0), or None."""

    @abstractmethod
    def is_spent(self, use: str) -> bool:
        """Whether a proposal with this submitter and nonce (``Envelope.use``) was accepted."""

    @abstractmethod
    def decision(self, proposal: str) -> Outcome | None:
        """How a proposal ended, or None."""

    @abstractmethod
    def insert_decision(self, proposal: str, outcome: Outcome, index: int) -> bool:
        """Write how a proposal ended; False, and nothing is written, where that was written before.

        The proposal's id is the primary key: this, and not what was read before, makes a decision final.
        """

    @abstractmethod
    def change_state(self, envelope: Envelope, version: int, roster: Roster | None) -> None:
        """Do what an accepted proposal asks for: each of its subjects gets a new version, the nonce is spent.

        :param roster: the one in force from the next entry on, where the proposal changes it.
        """

    @abstractmethod
    def insert_ballots(self, ballots: Sequence[Ballot]) -> None:
        """Keep the ballots of a commit proof."""

    @abstractmethod
    def append(self, entry: Entry) -> None:
        """Write an entry."""

    @abstractmethod
    def move_head(self, head: Head, at_ns: int) -> None:
        """Set the head."""


class Log(ABC):
    """One shard's log.

    :ivar cluster, shard: whose it is: it decides nothing of another's, whoever certified that.
    """

    cluster: str
    shard: str

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction: what was written in it is durable when the block is left, and undone if it raises.

        :raises AmbiguousError: on leaving, when it is not known which.
        """

    @abstractmethod
    def read(self, token: int, after: int, limit: int) -> LogRead:
        """Committed entries after an index, at most ``limit``, from the primary and no replica.

        Its ``now_ns`` is never earlier than the last entry's time.
        """


class Status(StrEnum):
    """What the log answers to a request for a decision."""

    DECIDED = "decided"
    ALREADY = "already"
    """It was decided before; the outcome is that one."""
    EARLY = "early"
    """Nothing is due yet: no commit proof, or it starts from what is still to come."""
    FENCED = "fenced"
    """That takes the newest lease's epoch."""
    INVALID = "invalid"
    """Another log's, a signature that is not what it says, or a voter who saw another history than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Asks for the decision that is due. What it is, the log says.

    :param proof: the commit proof, or empty.
    :param epoch: of the asker's lease; 0: it has none.
    """

    envelope: Envelope
    proof: tuple[Ballot, ...] = ()
    epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a request.

    :param head: of the log after it.
    :param entry: what was written, where that was by this request.
    """

    proposal: str
    status: Status
    outcome: Outcome | None
    head: Head
    entry: Entry | None = None


def decide(log: Log, requests: Sequence[Request], scheme: Scheme) -> tuple[Answer, ...]:
    """Decide a batch of proposals in one transaction, each at most once for ever.

    :raises AmbiguousError: when it is not known what was written: ask again, which is safe.
    """
    with log.transaction() as held:
        held.foresee(requests)
        lease = held.lock_lease(write=False)
        head, last_ns = held.lock_head()
        at_ns = max(held.now_ns(), last_ns)  # a clock that steps back must not reopen what expired
        answers = []
        for request in requests:
            answer = _decide(log, held, request, lease, head, at_ns, scheme)
            head = answer.head
            answers.append(answer)
        return tuple(answers)


def _decide(  # noqa: PLR0911, PLR0913 - one return per answer; the transaction's locked rows, and what to do with them
    log: Log, held: Transaction, request: Request, lease: Lease, head: Head, at_ns: int, scheme: Scheme
) -> Answer:
    """Decide one proposal, or say why not; nothing is written before it is sure."""
    envelope = request.envelope

    def answer(status: Status, outcome: Outcome | None = None, entry: Entry | None = None) -> Answer:
        return Answer(proposal=envelope.id, status=status, outcome=outcome, head=head, entry=entry)

    # In one order, so that no two transactions wait for each other.
    version = version_of(envelope.proposal, lambda subjects: map(held.lock_version, sorted(subjects)))
    force, judges = held.roster(None), held.roster(envelope.roster)
    assert force is not None, "a log starts with a roster"
    before = held.decision(envelope.id)
    if before is not None:
        return answer(Status.ALREADY, before)
    home = (envelope.cluster, envelope.shard) == (log.cluster, log.shard)
    if not home or judges is None or not _may_ask(envelope, judges, force, scheme):
        return answer(Status.INVALID)
    proof = request.proof
    if proof and not (
        proves(proof, envelope, judges, scheme) and all(agrees(ballot.seen, held.hash_at) for ballot in proof)
    ):
        return answer(Status.INVALID)
    standing = Standing(version, force, held.is_spent(envelope.use))
    outcome = ruling(envelope, standing, at_ns, verdict=proof[0].accepts if proof else None)
    if outcome is None:
        return answer(Status.EARLY)
    if is_fenced(envelope, outcome) and (request.epoch == 0 or request.epoch != lease.epoch):
        return answer(Status.FENCED)
    if not held.insert_decision(envelope.id, outcome, head.index + 1):
        return answer(Status.ALREADY, held.decision(envelope.id))
    certified = outcome in {Outcome.ACCEPT, Outcome.REJECT}
    if outcome is Outcome.ACCEPT:
        new = successor(envelope, force) if reconfigures(envelope.proposal) else None
        held.change_state(envelope, version + 1, new)
    if certified:
        held.insert_ballots(proof)
    entry = Entry(
        index=head.index + 1,
        previous=head.hash,
        epoch=lease.epoch,
        at_ns=at_ns,
        envelope=envelope,
        outcome=outcome,
        proof=proof if certified else (),
    )
    held.append(entry)
    head = entry.head
    held.move_head(head, at_ns)
    return answer(Status.DECIDED, outcome, entry)


def _may_ask(envelope: Envelope, judges: Roster, force: Roster, scheme: Scheme) -> bool:
    """Whether a proposal is one that may be decided: short enough, signed, and by who still has that seat."""
    return (
        len(envelope.body) <= BODY_LIMIT
        and submitted(envelope, judges, scheme)
        and has_kept_its_seat(envelope.submitter, judges, force)
    )


def is_fenced(envelope: Envelope, outcome: Outcome) -> bool:
    """Whether only the newest lease's holder may write an outcome: expiry, and a change of the roster.

    What q voters certified, and what can never be accepted, is safe from anybody.
    """
    return outcome is Outcome.EXPIRED or (outcome is Outcome.ACCEPT and reconfigures(envelope.proposal))


def take(log: Log, holder: str) -> Lease:
    """Begin the next epoch if the lease has run out; the lease in force then, whoever holds it.

    Who held it last waits once longer than others, so that somebody else comes first.

    :raises AmbiguousError: as ``decide``; ask again.
    """
    with log.transaction() as held:
        lease = held.lock_lease(write=True)
        now = held.now_ns()
        if now <= lease.expires_ns + (LEASE_NS if lease.holder == holder else 0):
            return lease
        new = Lease(holder=holder, epoch=lease.epoch + 1, since_ns=now, expires_ns=now + LEASE_NS)
        held.set_lease(new)
        return new


def renew(log: Log, holder: str, epoch: int) -> Lease:
    """Prolong a lease that is still the newest and within its term; the lease in force then.

    :raises AmbiguousError: as ``decide``; ask again.
    """
    with log.transaction() as held:
        lease = held.lock_lease(write=True)
        now = held.now_ns()
        if (lease.holder, lease.epoch) != (holder, epoch) or now > lease.since_ns + TERM_NS:
            return lease
        new = Lease(holder=holder, epoch=epoch, since_ns=lease.since_ns, expires_ns=now + LEASE_NS)
        held.set_lease(new)
        return new
