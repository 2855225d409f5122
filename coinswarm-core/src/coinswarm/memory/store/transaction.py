"""The quorum's transaction over SQL: locks first, one statement that reads all a batch needs, one flush that writes it.

Every writer holds the head's row, so that what was read under that lock stands until the end. Writes are gathered and
sent together; the primary keys are what makes them final: where somebody has written around the lock, the whole is
undone, and asking again is safe.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, bindparam, cast, func, insert, literal, select, union_all, update
from sqlalchemy import null as no_value

from coinswarm.memory.quorum.log import Transaction
from coinswarm.memory.quorum.records import START, Head, Lease, Outcome
from coinswarm.memory.quorum.roster import roster_from
from coinswarm.memory.store.among import among, listing
from coinswarm.memory.store.engine import together
from coinswarm.memory.store.state import Changes, about, put
from coinswarm.memory.store.tables import (
    DecisionRow,
    EntryRow,
    HeadRow,
    LeaseRow,
    ProposalRow,
    QuorumVote,
    RosterRow,
    SpentRow,
    SubjectRow,
    VoterRow,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import BindParameter, Connection

    from coinswarm.memory.quorum.log import Request
    from coinswarm.memory.quorum.records import Ballot, Entry, Envelope
    from coinswarm.memory.quorum.roster import Roster

NOW = cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger) * 1_000
"""PostgreSQL's clock, nanoseconds since the epoch."""

_LOG: BindParameter[int] = bindparam("log")
_LEASE = select(LeaseRow.holder, LeaseRow.epoch, LeaseRow.since_ns, LeaseRow.expires_ns).where(LeaseRow.log == _LOG)
_ALONE = _LEASE.with_for_update()
_HEAD = select(HeadRow.position, HeadRow.hash, HeadRow.at_ns).where(HeadRow.log == _LOG).with_for_update()
_SHARED = _LEASE.add_columns(LeaseRow.log).with_for_update(read=True).cte("leased")
_BOTH = _HEAD.add_columns(_SHARED).where(HeadRow.log == _SHARED.c.log).with_for_update(of=HeadRow)
"""The lease, shared, and then the head, alone: both in one answer."""
_CLOCK = select(NOW)

_SUBJECTS = (
    select(SubjectRow.name, SubjectRow.version)
    .where(SubjectRow.log == _LOG, among(SubjectRow.name, "subjects"))
    .order_by(SubjectRow.name)  # locks in one order, so that no two transactions wait for each other
    .with_for_update()
    .cte("locked")
)
_FORCE = select(func.max(RosterRow.version)).where(RosterRow.log == _LOG).scalar_subquery()
_KNOWN = union_all(
    select(literal("version"), _SUBJECTS.c.name, cast(_SUBJECTS.c.version, Text)),
    select(literal("decision"), DecisionRow.proposal, DecisionRow.outcome).where(
        DecisionRow.log == _LOG, among(DecisionRow.proposal, "proposals")
    ),
    select(literal("spent"), SpentRow.use, cast(no_value(), Text)).where(
        SpentRow.log == _LOG, among(SpentRow.use, "uses")
    ),
    select(literal("hash"), cast(EntryRow.position, Text), EntryRow.hash).where(
        EntryRow.log == _LOG, among(EntryRow.position, "positions")
    ),
    select(literal("roster"), cast(RosterRow.version, Text), RosterRow.body).where(
        RosterRow.log == _LOG, among(RosterRow.version, "rosters") | (RosterRow.version == _FORCE)
    ),
)
"""All that a batch of requests depends on, in one answer: kind, key, value."""
_KNOWN_NOW = union_all(_KNOWN, select(literal("clock"), literal(""), cast(NOW, Text)))
"""The same, and PostgreSQL's clock: read after the head was locked, however long that took."""

_OWN: BindParameter[int] = bindparam("own")
_LEASE_SET = (
    update(LeaseRow)
    .where(LeaseRow.log == _OWN)
    .values({name: bindparam(f"new_{name}") for name in ("holder", "epoch", "since_ns", "expires_ns")})
)
_HEAD_MOVED = (
    update(HeadRow)
    .where(HeadRow.log == _OWN)
    .values({name: bindparam(f"new_{name}") for name in ("position", "hash", "at_ns")})
)
_parsed = lru_cache(maxsize=64)(roster_from)


class SqlTransaction(Transaction):
    """One transaction of one log.

    :param connection: in a transaction that may write.
    :param log: its number.
    :param clock: nanoseconds; None: the database's own.
    """

    def __init__(self, connection: Connection, log: int, clock: Callable[[], int] | None) -> None:
        self._connection = connection
        self._log = log
        self._clock = clock
        self._head = START
        self._head_ns: int | None = None
        self._now: int | None = None
        self._force = -1
        self._rosters: dict[int, Roster] = {}
        self._versions: dict[str, int] = {}
        self._decisions: dict[str, Outcome | None] = {}
        self._spent: dict[str, bool] = {}
        self._hashes: dict[int, str] = {0: START.hash}
        self._states: dict[str, str] = {}
        self._uses: list[tuple[str, str]] = []
        self._new_rosters: list[tuple[Roster, int]] = []
        self._ballots: list[Ballot] = []
        self._entries: list[Entry] = []
        self._moved: tuple[Head, int] | None = None

    def now_ns(self) -> int:
        """The clock."""
        if self._clock is not None:
            return self._clock()
        now, self._now = self._now, None  # read a moment ago, and once only
        return int(self._connection.execute(_CLOCK).scalar_one()) if now is None else now

    def lock_lease(self, *, write: bool) -> Lease:
        """Locked shared, or alone."""
        row = self._connection.execute(_ALONE if write else _BOTH, {"log": self._log}).one()
        if not write:
            self._locked(row.position, row.hash, row.at_ns)
        return Lease(holder=row.holder, epoch=row.epoch, since_ns=row.since_ns, expires_ns=row.expires_ns)

    def set_lease(self, lease: Lease) -> None:
        """At once."""
        new = {f"new_{name}": getattr(lease, name) for name in ("holder", "epoch", "since_ns", "expires_ns")}
        self._connection.execute(_LEASE_SET, {"own": self._log, **new})

    def lock_head(self) -> tuple[Head, int]:
        """Locked: nobody else writes from here on."""
        if self._head_ns is None:
            self._locked(*self._connection.execute(_HEAD, {"log": self._log}).one())
        assert self._head_ns is not None, "locked"
        return self._head, self._head_ns

    def _locked(self, position: int, link: str, at_ns: int) -> None:
        self._head, self._head_ns = Head(position, link), at_ns
        self._hashes[position] = link

    def foresee(self, requests: Sequence[Request]) -> None:
        """Read it all in one statement."""
        self._learn(
            {request.envelope.proposal.subject for request in requests},
            {request.envelope.id for request in requests},
            {request.envelope.use for request in requests if _is_text(request.envelope.use)},
            {ballot.seen.index for request in requests for ballot in request.proof},
            {request.envelope.roster for request in requests},
        )

    def _learn(
        self,
        subjects: Iterable[str] = (),
        proposals: Iterable[str] = (),
        uses: Iterable[str] = (),
        positions: Iterable[int] = (),
        rosters: Iterable[int] = (),
    ) -> None:
        """Read, and lock where it will be changed, what is asked for and not known yet."""
        subjects = [name for name in subjects if name not in self._versions]
        proposals = [one for one in proposals if one not in self._decisions]
        uses = [use for use in uses if use not in self._spent]
        # Whoever made a request wrote these numbers: what cannot be here is not asked for.
        positions = [one for one in positions if one not in self._hashes and 0 < one <= self._head.index]
        rosters = [one for one in rosters if 0 <= one < 1 << 32]
        asked = {
            "log": self._log,
            "subjects": listing(subjects),
            "proposals": listing(proposals),
            "uses": listing(uses),
            "positions": listing(positions),
            "rosters": listing(rosters),
        }
        self._versions.update(dict.fromkeys(subjects, 0))
        self._decisions.update(dict.fromkeys(proposals))
        self._spent.update(dict.fromkeys(uses, False))
        for kind, key, value in self._connection.execute(_KNOWN if self._clock else _KNOWN_NOW, asked):
            if kind == "clock":
                self._now = int(value)
            elif kind == "version":
                self._versions[key] = int(value)
            elif kind == "decision":
                self._decisions[key] = Outcome(value)
            elif kind == "spent":
                self._spent[key] = True
            elif kind == "hash":
                self._hashes[int(key)] = value
            else:
                self._rosters[int(key)] = _parsed(value)
        self._force = max(self._rosters, default=-1)

    def lock_version(self, subject: str) -> int:
        """From what was read, or read now."""
        if subject not in self._versions:
            self._learn(subjects=[subject])
        return self._versions[subject]

    def roster(self, version: int | None) -> Roster | None:
        """From what was read, or read now."""
        if self._force < 0 or (version is not None and version not in self._rosters):
            self._learn(rosters=[] if version is None else [version])
        return self._rosters.get(self._force if version is None else version)

    def hash_at(self, index: int) -> str | None:
        """From what was read, or read now."""
        if index not in self._hashes and 0 < index <= self._head.index:
            self._learn(positions=[index])
        return self._hashes.get(index)

    def is_spent(self, use: str) -> bool:
        """From what was read, or read now."""
        if use not in self._spent:
            self._learn(uses=[use])
        return self._spent[use]

    def decision(self, proposal: str) -> Outcome | None:
        """From what was read, or read now."""
        if proposal not in self._decisions:
            self._learn(proposals=[proposal])
        return self._decisions[proposal]

    def insert_decision(self, proposal: str, outcome: Outcome, index: int) -> bool:  # noqa: ARG002 - the entry has it
        """Noted; the primary key has the last word when it is flushed."""
        if self.decision(proposal) is not None:
            return False
        self._decisions[proposal] = outcome
        return True

    def change_state(self, envelope: Envelope, version: int, roster: Roster | None) -> None:
        """Noted."""
        subject = envelope.proposal.subject
        self._versions[subject], self._states[subject] = version, envelope.id
        self._spent[envelope.use] = True
        self._uses.append((envelope.use, envelope.id))
        if roster is not None:
            self._rosters[roster.version] = roster
            self._force = roster.version
            self._new_rosters.append((roster, self._head.index + 1))

    def insert_ballots(self, ballots: Sequence[Ballot]) -> None:
        """Noted."""
        self._ballots.extend(ballots)

    def append(self, entry: Entry) -> None:
        """Noted."""
        self._entries.append(entry)
        self._hashes[entry.index] = entry.hash

    def move_head(self, head: Head, at_ns: int) -> None:
        """Noted."""
        self._head, self._head_ns = head, at_ns
        self._moved = head, at_ns

    def flush(self) -> None:
        """Send what was gathered; the caller commits."""
        if self._moved is None:
            return
        changes = Changes(self._connection, self._log)
        for entry in self._entries:
            changes.add(entry)
        with together(self._connection):
            changes.write()
            self._write(*self._moved)

    def _write(self, head: Head, at_ns: int) -> None:
        log, entries = self._log, self._entries
        self._insert(ProposalRow, [_proposal_row(entry.envelope) for entry in entries])
        self._insert(
            DecisionRow,
            [{"proposal": one.envelope.id, "outcome": one.outcome.value, "position": one.index} for one in entries],
        )
        self._insert(EntryRow, [_entry_row(entry) for entry in entries])
        times = {entry.envelope.id: entry.at_ns for entry in entries}
        places: dict[str, int] = {}
        votes = []
        for ballot in self._ballots:
            places[ballot.proposal] = places.get(ballot.proposal, -1) + 1
            votes.append(_vote_row(ballot, places[ballot.proposal], times[ballot.proposal]))
        self._insert(QuorumVote, votes)
        self._insert(SpentRow, [{"use": use, "proposal": proposal} for use, proposal in self._uses])
        subjects = [
            {"log": log, "name": name, "version": self._versions[name], "proposal": proposal}
            for name, proposal in self._states.items()
        ]
        if subjects:
            self._connection.execute(put(self._connection, SubjectRow), subjects)
        for roster, position in self._new_rosters:
            self._insert(RosterRow, [{"version": roster.version, "position": position, "body": roster.text()}])
            self._insert(VoterRow, voter_rows(roster))
        moved = {"own": log, "new_position": head.index, "new_hash": head.hash, "new_at_ns": at_ns}
        self._connection.execute(_HEAD_MOVED, moved)

    def _insert(self, table: type[Any], rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(insert(table), [{"log": self._log, **row} for row in rows])


def _is_text(value: str) -> bool:
    """Whether a database can hold a text that anybody may have sent."""
    return "\0" not in value and value.isascii()


def _proposal_row(envelope: Envelope) -> dict[str, Any]:
    proposal = envelope.proposal
    return {
        "id": envelope.id,
        "kind": proposal.kind.value,
        "subject": proposal.subject,
        "about": about(proposal),
        "submitter": envelope.submitter,
        "body": envelope.body.decode(),
        "signature": envelope.signature,
    }


def _entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "position": entry.index,
        "previous": entry.previous,
        "hash": entry.hash,
        "epoch": entry.epoch,
        "at_ns": entry.at_ns,
        "proposal": entry.envelope.id,
        "outcome": entry.outcome.value,
    }


def _vote_row(ballot: Ballot, place: int, at_ns: int) -> dict[str, Any]:
    return {
        "proposal_id": ballot.proposal,
        "manager_id": ballot.voter,
        "decision": "ACCEPT" if ballot.accepts else "REJECT",
        "reasons": ballot.findings,
        "timestamp": at_ns,
        "place": place,
        "body": ballot.body.decode(),
        "signature": ballot.signature,
    }


def voter_rows(roster: Roster) -> list[dict[str, Any]]:
    """The voters of a roster, as ``voter`` has them."""
    return [{"roster": roster.version, "name": seat.name, "key": seat.key} for seat in roster.voters]
