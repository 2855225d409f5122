"""What travels between parts, what a part is told (events), and what it asks its driver to do (effects).

A driver carries out effects in their order, and answers ``Keep``, ``Evaluate``, ``ReadLog``, ``Decide``, ``TakeLease``
and ``RenewLease`` with one event each, or several of ``Evaluate`` with one; an answer may be lost with the process.
Messages may be lost, doubled, delayed and reordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinswarm.memory.quorum.records import SealVote

if TYPE_CHECKING:
    from coinswarm.memory.quorum.log import Answer, Request
    from coinswarm.memory.quorum.records import Ballot, Envelope, Head, Lease, Outcome, Seal

# ── messages ──


@dataclass(frozen=True, slots=True)
class Propose:
    """Submitter to everybody; again until an entry for it appears."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Vote:
    """Voter to everybody. It carries the proposal, so that who missed it can still judge and decide it."""

    envelope: Envelope
    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Notice:
    """The log has grown: a hint to read it, believed by nobody."""

    head: Head


Message = Propose | Vote | Notice | SealVote

# ── events, beside messages ──


@dataclass(frozen=True, slots=True)
class Tick:
    """Some time has passed: about once a second. Everybody reads the log then, heard of news or not."""


@dataclass(frozen=True, slots=True)
class Submit:
    """To a submitter: propose this."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What the voter's plugin found, from committed data, at the version that the proposal starts from."""

    proposal: str
    accepts: bool
    findings: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """The evidence of a proposal is not there, or not at that version: no ballot yet, and no rejection either."""

    proposal: str


@dataclass(frozen=True, slots=True)
class Evaluations:
    """What came of several proposals, in their order: the ballots on them are signed together."""

    results: tuple[Evaluated | Deferred, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies on the disk now: what was asked to be kept, or what had been kept in its place before."""

    message: Propose | Vote | SealVote


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a ``Decide``; empty where it failed or nobody knows."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Leased:
    """The lease in force, whoever holds it; None where the log did not answer."""

    lease: Lease | None


# ── effects ──


@dataclass(frozen=True, slots=True)
class Send:
    """Publish a message to everybody."""

    message: Message


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Have the voter's plugin judge a proposal on committed evidence; answer ``Evaluated`` or ``Deferred``."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Keep:
    """Make durable before ``Kept`` is answered: the message, under its own primary key, and the highest head seen.

    The primary key of a vote is its proposal, of a seal vote its index, of a proposal its id. Where something lies
    under it already, that stays, and is what ``Kept`` answers with.
    """

    message: Propose | Vote | SealVote
    seen: Head


@dataclass(frozen=True, slots=True)
class Remember:
    """Make durable, when there is time: the highest head seen. A lower one never replaces a higher one."""

    seen: Head


@dataclass(frozen=True, slots=True)
class ReadLog:
    """Read entries after an index; answer ``LogRead`` with the token."""

    token: int
    after: int


@dataclass(frozen=True, slots=True)
class Decide:
    """Have the log decide, in one transaction (``log.decide``); answer ``Answered``."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class TakeLease:
    """``log.take`` in this coordinator's name; answer ``Leased``."""


@dataclass(frozen=True, slots=True)
class RenewLease:
    """``log.renew``; answer ``Leased``."""

    epoch: int


@dataclass(frozen=True, slots=True)
class KeepSeal:
    """Copy a seal to where the log's owner cannot reach."""

    seal: Seal


@dataclass(frozen=True, slots=True)
class Ended:
    """To a submitter's owner: how a proposal ended."""

    envelope: Envelope
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Double:
    """Evidence against a voter: two ballots of one voter on one proposal that say different things."""

    first: Ballot
    second: Ballot


@dataclass(frozen=True, slots=True)
class Reuse:
    """Evidence against a submitter: two proposals under one nonce."""

    first: Envelope
    second: Envelope


@dataclass(frozen=True, slots=True)
class Split:
    """Valid ballots on one proposal disagree: somebody lies, or versions or machines differ. Never a tie-break."""

    proposal: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """A submitter has as many proposals open as one may: no more of it are taken until some have ended."""

    submitter: str


@dataclass(frozen=True, slots=True)
class Halted:
    """This part has stopped for good, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """Tell people, and keep the evidence."""

    about: Double | Reuse | Split | Crowd | Halted


Effect = Send | Evaluate | Keep | Remember | ReadLog | Decide | TakeLease | RenewLease | KeepSeal | Ended | Report
