"""What is signed and what is kept: envelopes, ballots, entries of the log, seals; each with one canonical form.

Each form names its schema, so that a signature under one never fits another. None of these has slots: bytes and
digests are worked out once per record, and what is read from bytes keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from coinswarm.canonical import GENESIS, Spelled, canonical_json, chain, quoted, sha256
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import AddEpisode, AddEpisodes, Proposal, ProposalKind, Reference
from coinswarm.memory.quorum import forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.memory.quorum.keys import Signer


class Outcome(StrEnum):
    """How a proposal ended; each has exactly one."""

    ACCEPT = "accept"
    """q ballots say yes; the state changed."""
    REJECT = "reject"
    """q ballots say no."""
    CONFLICT = "conflict"
    """What it starts from is no longer in force: it could never be accepted. Propose anew."""
    EXPIRED = "expired"
    """Its deadline passed by the log's clock."""


@dataclass(frozen=True, slots=True)
class Head:
    """A position in a log: how many entries there are, and the hash of the last."""

    index: int
    hash: str


START = Head(0, GENESIS)
"""The head of an empty log."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A proposal as it travels, signed by its submitter.

    :param cluster, shard: whose log decides; part of the id, so that nothing is replayed elsewhere.
    :param roster: version of the roster that is to judge it, and whose rules hold.
    :param nonce: of the submitter, never used for anything else: two envelopes of one nonce prove equivocation.
    :param deadline_ns: by the log's clock; undecided until then, it expires.
    """

    cluster: str
    shard: str
    roster: int
    submitter: str
    nonce: int
    deadline_ns: int
    proposal: Proposal
    signature: str = ""

    @cached_property
    def body(self) -> bytes:
        """Canonical bytes of everything but the signature."""
        return _episode_body(self) or _episodes_body(self) or canonical_json({
            "schema": "coinswarm.proposal/1",
            "cluster": self.cluster,
            "shard": self.shard,
            "roster": self.roster,
            "submitter": self.submitter,
            "nonce": self.nonce,
            "deadline_ns": self.deadline_ns,
            "proposal": self.proposal.content(),
        })  # fmt: skip

    @cached_property
    def id(self) -> str:
        """The proposal's id: SHA-256 of the body. Same id, same content."""
        return sha256(self.body)

    @property
    def use(self) -> str:
        """The submitter's nonce, as a key."""
        return f"{self.submitter}#{self.nonce}"

    def signed(self, signer: Signer) -> Envelope:
        """This envelope with its submitter's signature."""
        return _carrying(self, signer.sign(self.body))


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """One voter's word on one proposal.

    It names no coordinator and no lease, so that any coordinator may use it.

    :param roster: version of the roster under which the voter votes.
    :param proposal: its id.
    :param accepts: ACCEPT or REJECT.
    :param findings: digest of what the voter worked out anew (``findings.findings``).
    :param seen: highest head of the log that the voter has verified; not part of what must match.
    """

    cluster: str
    shard: str
    roster: int
    proposal: str
    accepts: bool
    findings: str
    voter: str
    seen: Head
    signature: str = ""

    @cached_property
    def body(self) -> bytes:
        """Canonical bytes of everything but the signature."""
        verdict, seen = "ACCEPT" if self.accepts else "REJECT", self.seen
        return forms.BALLOT.write((
            self.cluster, self.findings, self.proposal, self.roster, seen.hash, seen.index, self.shard, verdict,
            self.voter,
        ))  # fmt: skip

    @property
    def matter(self) -> tuple[bool, str]:
        """What ballots on one proposal under one roster must have in common to count together."""
        return self.accepts, self.findings

    def signed(self, signer: Signer) -> Ballot:
        """This ballot with its voter's signature."""
        return _carrying(self, signer.sign(self.body))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One decision in the log.

    :param index: 1, 2, 3 … without gaps.
    :param previous: hash of the entry before.
    :param epoch: of the lease in force when it was written.
    :param at_ns: the log's clock, which never goes back.
    :param proof: the commit proof: q matching ballots for ACCEPT and REJECT; empty otherwise.
    """

    index: int
    previous: str
    epoch: int
    at_ns: int
    envelope: Envelope
    outcome: Outcome
    proof: tuple[Ballot, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Link of the hash chain: over the previous hash and everything here."""
        envelope = self.envelope
        proof = ",".join([f'["{sha256(ballot.body)}",{quoted(ballot.signature)}]' for ballot in self.proof])
        told = forms.ENTRY.write((
            self.at_ns, self.epoch, self.index, self.outcome, Spelled(f"[{proof}]"), envelope.id,
            Spelled(quoted(envelope.signature)),
        ))  # fmt: skip
        return chain(self.previous, told)

    @property
    def head(self) -> Head:
        """The log's head after this entry."""
        return Head(self.index, self.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who coordinates, for now. The epoch is the fence: only its newest value may expire or reconfigure.

    :param since_ns: when this epoch began; :param expires_ns: when somebody else may begin the next.
    """

    holder: str
    epoch: int
    since_ns: int
    expires_ns: int


NO_LEASE = Lease(holder="", epoch=0, since_ns=0, expires_ns=0)


@dataclass(frozen=True, kw_only=True)
class SealVote:
    """A voter's signature under a head of the log.

    :param roster: version in force after the entry at that head.
    """

    cluster: str
    shard: str
    roster: int
    head: Head
    voter: str
    signature: str = ""

    @cached_property
    def body(self) -> bytes:
        """Canonical bytes of everything but the signature."""
        return canonical_json({
            "schema": "coinswarm.seal/1",
            "cluster": self.cluster,
            "shard": self.shard,
            "roster": self.roster,
            "index": self.head.index,
            "hash": self.head.hash,
            "voter": self.voter,
        })  # fmt: skip

    def signed(self, signer: Signer) -> SealVote:
        """This vote with its voter's signature."""
        return _carrying(self, signer.sign(self.body))


R = TypeVar("R", Envelope, Ballot, SealVote)


def signed_together(records: Sequence[R], signer: Signer) -> list[R]:
    """Records of one kind with their signer's signatures, which cost little more than one."""
    signatures = signer.sign_all([record.body for record in records]) if records else []
    return [_carrying(record, signature) for record, signature in zip(records, signatures, strict=True)]


def _carrying(record: R, signature: str) -> R:
    """A record with a signature; what was worked out from what is signed stays."""
    signed = object.__new__(type(record))
    signed.__dict__.update(record.__dict__, signature=signature)
    return signed


@dataclass(frozen=True, slots=True)
class Seal:
    """q votes under one head: to be copied where the log's owner cannot reach. A log without that head is not ours."""

    head: Head
    votes: tuple[SealVote, ...]


def _episode_body(envelope: Envelope) -> bytes | None:
    """The body of an envelope of the form ``forms.EPISODE``; None for any other."""
    proposal = envelope.proposal
    change, cited = proposal.change, proposal.evidence
    if proposal.kind is not ProposalKind.ADD_EPISODE or len(cited) != 1 or proposal.claims:
        return None
    known = (type(proposal), type(change), type(cited[0]))
    if known != (Proposal, AddEpisode, Reference):
        return None
    assert isinstance(change, AddEpisode), "said above; for the type checker"
    if (type(change.episode), type(change.trade)) != (Episode, Reference):
        return None
    return forms.EPISODE.write((
        envelope.cluster, envelope.deadline_ns, envelope.nonce, proposal.base_version, *_told(change), cited[0].digest,
        cited[0].place, proposal.subject, envelope.roster, envelope.shard, envelope.submitter,
    ))  # fmt: skip


def _episodes_body(envelope: Envelope) -> bytes | None:
    """The body of an envelope of the form ``forms.EPISODES``; None for any other."""
    proposal = envelope.proposal
    change = proposal.change
    if proposal.kind is not ProposalKind.ADD_EPISODES or proposal.evidence or proposal.claims:
        return None
    if (type(proposal), type(change)) != (Proposal, AddEpisodes):
        return None
    assert isinstance(change, AddEpisodes), "said above; for the type checker"
    known = {(type(each), type(each.episode), type(each.trade)) for each in change.episodes}
    if known != {(AddEpisode, Episode, Reference)}:
        return None
    items = ",".join([forms.REMEMBER.spell(_told(each)) for each in change.episodes])
    return forms.EPISODES.write((
        envelope.cluster, envelope.deadline_ns, envelope.nonce, proposal.base_version, Spelled(f"[{items}]"),
        proposal.subject, envelope.roster, envelope.shard, envelope.submitter,
    ))  # fmt: skip


def _told(change: AddEpisode) -> tuple[object, ...]:
    """What stands in the gaps of ``forms.REMEMBER``."""
    trade = change.trade
    told = forms.told_of(change.episode)
    return (change.dimension, *told, change.space, trade.digest, trade.place, change.vector_digest)
