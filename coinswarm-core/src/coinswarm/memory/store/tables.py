"""The log's own tables: who writes it, how far it goes, what was decided and on whose word.

All are keyed by ``log``: a database may hold several clusters and shards. Canonical bytes are kept as they were signed;
columns beside them are for queries, and everything in them follows from the bytes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coinswarm.memory.store.columns import Base, Key, LogId, Number, NumberKey, Words


class LogRow(Base):
    """A log: one shard of one cluster."""

    __tablename__ = "log"
    __table_args__ = (UniqueConstraint("cluster", "shard"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    cluster: Mapped[Words]
    shard: Mapped[Words]


class LeaseRow(Base):
    """Who coordinates; locked shared by who decides, and alone by who takes or renews it."""

    __tablename__ = "lease"
    __table_args__ = (CheckConstraint("epoch >= 0", "epoch"),)

    log: Mapped[int] = mapped_column(ForeignKey("log.id"), primary_key=True)
    holder: Mapped[Words]
    epoch: Mapped[Number]
    since_ns: Mapped[Number]
    expires_ns: Mapped[Number]


class HeadRow(Base):
    """How far the log goes. Every transaction that writes the log locks this row first: there is one order."""

    __tablename__ = "head"

    log: Mapped[int] = mapped_column(ForeignKey("log.id"), primary_key=True)
    position: Mapped[Number]
    hash: Mapped[Words]
    at_ns: Mapped[Number]


class RosterRow(Base):
    """One version of the roster, in its canonical form."""

    __tablename__ = "roster"

    log: Mapped[int] = mapped_column(ForeignKey("log.id"), primary_key=True)
    version: Mapped[NumberKey]
    position: Mapped[Number]
    """Of the entry that brought it into force; 0 for the first."""
    body: Mapped[Words]


class VoterRow(Base):
    """A voter of a roster, for queries."""

    __tablename__ = "voter"
    __table_args__ = (ForeignKeyConstraint(["log", "roster"], ["roster.log", "roster.version"]),)

    log: Mapped[LogId]
    roster: Mapped[NumberKey]
    name: Mapped[Key]
    key: Mapped[Words]


class ProposalRow(Base):
    """A proposal that was decided.

    :ivar body: the envelope's canonical bytes, as its submitter signed them.
    :ivar about: the episode, pattern, agent or rule that it would change; empty where it would change several.
    """

    __tablename__ = "proposal"
    __table_args__ = (Index(None, "subject", "log"), Index(None, "kind", "about", "log"))

    log: Mapped[LogId]
    id: Mapped[Key]
    kind: Mapped[Words]
    subject: Mapped[Words]
    about: Mapped[Words]
    submitter: Mapped[Words]
    body: Mapped[Words]
    signature: Mapped[Words]


class DecisionRow(Base):
    """How a proposal ended. The primary key makes it final."""

    __tablename__ = "decision"
    __table_args__ = (
        ForeignKeyConstraint(["log", "proposal"], ["proposal.log", "proposal.id"]),
        CheckConstraint("outcome IN ('accept', 'reject', 'conflict', 'expired')", "outcome"),
    )

    log: Mapped[LogId]
    proposal: Mapped[Key]
    outcome: Mapped[Words]
    position: Mapped[Number]


class EntryRow(Base):
    """One entry of the log; with its proposal and its ballots it is all that the hash covers."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("proposal", "log"),
        ForeignKeyConstraint(["log", "proposal"], ["decision.log", "decision.proposal"]),
        CheckConstraint("position > 0", "position"),
    )

    log: Mapped[LogId]
    position: Mapped[NumberKey]
    previous: Mapped[Words]
    hash: Mapped[Words]
    epoch: Mapped[Number]
    at_ns: Mapped[Number]
    proposal: Mapped[Words]
    outcome: Mapped[Words]


class QuorumVote(Base):
    """A ballot of a commit proof.

    :ivar manager_id: the voter.
    :ivar decision: ACCEPT or REJECT.
    :ivar reasons: digest of the findings; ``coinswarm memory show`` puts it in words.
    :ivar timestamp: the log's time of the entry.
    :ivar place: in the proof.
    :ivar body: the ballot's canonical bytes, as the voter signed them.
    """

    __tablename__ = "quorum_vote"
    __table_args__ = (
        UniqueConstraint("proposal_id", "manager_id", "log"),
        ForeignKeyConstraint(["log", "proposal_id"], ["decision.log", "decision.proposal"]),
        CheckConstraint("decision IN ('ACCEPT', 'REJECT')", "decision"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    log: Mapped[int] = mapped_column(Integer)
    proposal_id: Mapped[Words]
    manager_id: Mapped[Words]
    decision: Mapped[Words]
    reasons: Mapped[Words]
    timestamp: Mapped[Number]
    place: Mapped[int] = mapped_column(Integer)
    body: Mapped[Words]
    signature: Mapped[Words]


class SubjectRow(Base):
    """What was changed: its version, and the proposal that made it.

    :ivar since: position of the entry that first changed it.
    """

    __tablename__ = "subject"
    __table_args__ = (CheckConstraint("version > 0", "version"),)

    log: Mapped[LogId]
    name: Mapped[Key]
    version: Mapped[Number]
    proposal: Mapped[Words]
    since: Mapped[int] = mapped_column(BigInteger, server_default="0")


class SpentRow(Base):
    """A submitter's nonce under which a proposal was accepted."""

    __tablename__ = "spent"

    log: Mapped[LogId]
    use: Mapped[Key]
    proposal: Mapped[Words]


class SealRow(Base):
    """A voter's signature under a head; q of them under one are a seal."""

    __tablename__ = "seal"

    log: Mapped[LogId]
    position: Mapped[NumberKey]
    voter: Mapped[Key]
    body: Mapped[Words]
    signature: Mapped[Words]
