"""A transaction of the log in a database: one exchange that locks and reads all a batch needs, one that writes it.

Every writer holds the head's row, so that what was read under that lock stands until the end. Writes are gathered and
sent together, and the commit with them; the primary keys are what makes them final: where somebody has written around
the lock, the whole is undone, and asking again is safe. A long record takes long to work out: that is done before
anything is locked.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, cast, literal_column, select, union_all, update
from sqlalchemy import null as no_value

from coinswarm.domain.proposal import MovePattern
from coinswarm.memory.quorum.log import Transaction
from coinswarm.memory.quorum.records import START, Head, Lease, Outcome
from coinswarm.memory.quorum.roster import roster_from
from coinswarm.memory.store.among import ByNumber, among, listing
from coinswarm.memory.store.rows import decision_row, entry_row, proposal_row, vote_row, voter_rows
from coinswarm.memory.store.state import Changes, record_of
from coinswarm.memory.store.statement import NOW, Insertion, Statement, word
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
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import BindParameter, Executable, Select

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.quorum.log import Request
    from coinswarm.memory.quorum.records import Ballot, Entry, Envelope
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.memory.store.among import Names
    from coinswarm.memory.store.line import Line, Question, Row

    Texts = Select[str, str, str]
    """Rows of one answer: kind, key, value."""

_LOG: BindParameter[int] = bindparam("log")
_LEASE = select(LeaseRow.holder, LeaseRow.epoch, LeaseRow.since_ns, LeaseRow.expires_ns).where(LeaseRow.log == _LOG)
_ALONE = Statement(_LEASE.with_for_update())
_HEAD = select(HeadRow.position, HeadRow.hash, HeadRow.at_ns).where(HeadRow.log == _LOG).with_for_update()
_HEAD_ALONE = Statement(_HEAD)
_SHARED = _LEASE.add_columns(LeaseRow.log).with_for_update(read=True).cte("leased")
_BOTH = Statement(
    select(_SHARED.c.holder, _SHARED.c.epoch, _SHARED.c.since_ns, _SHARED.c.expires_ns)
    .add_columns(HeadRow.position, HeadRow.hash, HeadRow.at_ns)
    .where(HeadRow.log == _LOG, HeadRow.log == _SHARED.c.log)
    .with_for_update(of=HeadRow)
)
"""The lease, shared, and then the head, alone: both in one answer."""
_CLOCK = Statement(select(NOW))
_BODY = Statement(select(RosterRow.body).where(RosterRow.log == _LOG, RosterRow.version == bindparam("version")))

_FORCE = (
    select(RosterRow.version, RosterRow.body)
    .where(RosterRow.log == _LOG)
    .order_by(RosterRow.version.desc())
    .limit(literal_column("1"))
    .subquery()
)
_HASHES = select(word("hash"), cast(EntryRow.position, Text), EntryRow.hash).where(
    EntryRow.log == _LOG, among(EntryRow.position, "positions")
)
_NOW = select(word("clock"), word(""), cast(NOW, Text))
"""PostgreSQL's clock: read after the head was locked, however long that took."""


def _knowable(clock: tuple[Texts, ...], names: Names) -> Executable:
    """All that a batch of requests depends on, in one answer: kind, key, value."""
    subjects = (
        select(SubjectRow.name, SubjectRow.version)
        .where(SubjectRow.log == _LOG, names(SubjectRow.name, "subjects"))
        .order_by(SubjectRow.name)  # locks in one order, so that no two transactions wait for each other
        .with_for_update()
        .cte("locked")
    )
    return union_all(
        select(word("version"), subjects.c.name, cast(subjects.c.version, Text)),
        select(word("decision"), DecisionRow.proposal, DecisionRow.outcome).where(
            DecisionRow.log == _LOG, names(DecisionRow.proposal, "proposals")
        ),
        select(word("spent"), SpentRow.use, cast(no_value(), Text)).where(
            SpentRow.log == _LOG, names(SpentRow.use, "uses")
        ),
        _HASHES,
        select(word("force"), cast(_FORCE.c.version, Text), _FORCE.c.body),
        *clock,
    )


_KNOWN, _KNOWN_NOW = ByNumber(partial(_knowable, ())), ByNumber(partial(_knowable, (_NOW,)))

_OWN: BindParameter[int] = bindparam("own")
_LEASE_SET = Statement(
    update(LeaseRow)
    .where(LeaseRow.log == _OWN)
    .values({name: bindparam(f"new_{name}") for name in ("holder", "epoch", "since_ns", "expires_ns")})
)
_HEAD_MOVED = Statement(
    update(HeadRow)
    .where(HeadRow.log == _OWN)
    .values({name: bindparam(f"new_{name}") for name in ("position", "hash", "at_ns")})
)
_PROPOSALS, _DECISIONS, _ENTRIES = Insertion(ProposalRow), Insertion(DecisionRow), Insertion(EntryRow)
_VOTES = Insertion(QuorumVote, [column.name for column in QuorumVote.__table__.columns if column.name != "id"])
_SPENT, _SUBJECTS_PUT = Insertion(SpentRow), Insertion(SubjectRow, replaces=True, keeps=("since",))
_ROSTERS, _VOTERS = Insertion(RosterRow), Insertion(VoterRow)
_parsed = lru_cache(maxsize=64)(roster_from)


class SqlTransaction(Transaction):
    """One transaction of one log.

    :param line: to write over; nothing was asked yet.
    :param log: its number.
    :param clock: nanoseconds; None: the database's own.
    :param reading: another line, for what is read before the transaction begins.
    """

    def __init__(
        self,
        line: Line,
        log: int,
        clock: Callable[[], int] | None,
        reading: Callable[[], AbstractContextManager[Line]],
    ) -> None:
        self._line = line
        self._log = log
        self._clock = clock
        self._reading = reading
        self._records: dict[str, dict[str, Any]] = {}
        self._lease: Lease | None = None
        self._head = START
        self._head_ns: int | None = None
        self._now: int | None = None
        self._force = -1
        self._rosters: dict[int, Roster] = {}
        self._versions: dict[str, int] = {}
        self._decisions: dict[str, Outcome | None] = {}
        self._spent: dict[str, bool] = {}
        self._hashes: dict[int, str] = {0: START.hash}
        self._states: dict[str, tuple[str, int]] = {}
        self._uses: list[tuple[str, str]] = []
        self._new_rosters: list[tuple[Roster, int]] = []
        self._ballots: list[Ballot] = []
        self._entries: list[Entry] = []
        self._moved: tuple[Head, int] | None = None

    def foresee(self, requests: Sequence[Request]) -> None:
        """Lock and read it all in one exchange; each statement sees what those before it waited for."""
        cited = [
            request.envelope
            for request in requests
            if request.proof and request.proof[0].accepts and _moves(request.envelope.proposal)
        ]
        if cited:
            with self._reading() as line:
                self._records = {one.id: record_of(line, self._log, one.proposal) for one in cited}
        question = self._unknown(
            {subject for request in requests for subject in request.envelope.proposal.subjects},
            {request.envelope.id for request in requests},
            {request.envelope.use for request in requests if _is_text(request.envelope.use)},
            {ballot.seen.index for request in requests for ballot in request.proof},
        )
        [locked, known] = self._line.ask((_BOTH, {"log": self._log}), question)
        self._locked(*locked)
        self._learn(known)

    def now_ns(self) -> int:
        """The clock."""
        if self._clock is not None:
            return self._clock()
        now, self._now = self._now, None  # read a moment ago, and once only
        return int(self._value(_CLOCK)) if now is None else now

    def _value(self, statement: Statement) -> Any:  # noqa: ANN401 - a column's
        [[(value,)]] = self._line.ask((statement, {}))
        return value

    def lock_lease(self, *, write: bool) -> Lease:
        """Locked shared, or alone."""
        if write:
            [[row]] = self._line.ask((_ALONE, {"log": self._log}))
            return _lease(row)
        if self._lease is None:
            [locked] = self._line.ask((_BOTH, {"log": self._log}))
            self._locked(*locked)
        assert self._lease is not None, "locked"
        return self._lease

    def set_lease(self, lease: Lease) -> None:
        """At once."""
        new = {f"new_{name}": getattr(lease, name) for name in ("holder", "epoch", "since_ns", "expires_ns")}
        self._line.ask((_LEASE_SET, {"own": self._log, **new}))
        self._lease = None

    def lock_head(self) -> tuple[Head, int]:
        """Locked: nobody else writes from here on."""
        if self._head_ns is None:
            [[row]] = self._line.ask((_HEAD_ALONE, {"log": self._log}))
            self._stand(*row)
        assert self._head_ns is not None, "locked"
        return self._head, self._head_ns

    def _locked(self, row: Row) -> None:
        """Take in the lease and the head."""
        self._lease = _lease(row[:4])
        self._stand(*row[4:])

    def _stand(self, position: int, link: str, at_ns: int) -> None:
        self._head, self._head_ns = Head(position, link), at_ns
        self._hashes[position] = link

    def _unknown(
        self,
        subjects: Iterable[str] = (),
        proposals: Iterable[str] = (),
        uses: Iterable[str] = (),
        positions: Iterable[int] = (),
    ) -> Question:
        """The question that reads, and locks where it will be changed, what is asked for and not known yet."""
        subjects = [name for name in subjects if name not in self._versions]
        proposals = [one for one in proposals if one not in self._decisions]
        uses = [use for use in uses if use not in self._spent]
        # Whoever made a request wrote these numbers: what cannot be here is not asked for.
        positions = [one for one in positions if one not in self._hashes and 0 < one < 1 << 63]
        self._versions.update(dict.fromkeys(subjects, 0))
        self._decisions.update(dict.fromkeys(proposals))
        self._spent.update(dict.fromkeys(uses, False))
        lists = {"subjects": subjects, "proposals": proposals, "uses": uses}
        return (_KNOWN if self._clock else _KNOWN_NOW).asked(lists, {"log": self._log, "positions": listing(positions)})

    def _learn(self, rows: list[Row]) -> None:
        """Take in the answer."""
        for kind, key, value in rows:
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
            elif self._force < 0:  # a later one is of this transaction
                self._force = int(key)
                self._rosters[self._force] = _parsed(value)

    def _ask(self, question: Question) -> None:
        """Read by itself what was not foreseen."""
        [rows] = self._line.ask(question)
        self._learn(rows)

    def lock_version(self, subject: str) -> int:
        """From what was read, or read now."""
        if subject not in self._versions:
            self._ask(self._unknown(subjects=[subject]))
        return self._versions[subject]

    def roster(self, version: int | None) -> Roster | None:
        """From what was read, or read now."""
        if self._force < 0:
            self._ask(self._unknown())
        wanted = self._force if version is None else version
        if wanted not in self._rosters and 0 <= wanted < self._force:
            [rows] = self._line.ask((_BODY, {"log": self._log, "version": wanted}))
            self._rosters.update((wanted, _parsed(body)) for (body,) in rows)
        return self._rosters.get(wanted)

    def hash_at(self, index: int) -> str | None:
        """From what was read, or read now."""
        if index not in self._hashes and 0 < index < 1 << 63:
            self._ask(self._unknown(positions=[index]))
        return self._hashes.get(index)

    def is_spent(self, use: str) -> bool:
        """From what was read, or read now."""
        if use not in self._spent:
            self._ask(self._unknown(uses=[use]))
        return self._spent[use]

    def decision(self, proposal: str) -> Outcome | None:
        """From what was read, or read now."""
        if proposal not in self._decisions:
            self._ask(self._unknown(proposals=[proposal]))
        return self._decisions[proposal]

    def insert_decision(self, proposal: str, outcome: Outcome, index: int) -> bool:  # noqa: ARG002 - the entry has it
        """Noted; the primary key has the last word when it is flushed."""
        if self.decision(proposal) is not None:
            return False
        self._decisions[proposal] = outcome
        return True

    def change_state(self, envelope: Envelope, version: int, roster: Roster | None) -> None:
        """Noted."""
        since = self._head.index + 1
        for subject in envelope.proposal.subjects:
            self._versions[subject] = version
            self._states[subject] = envelope.id, self._states.get(subject, ("", since))[1]
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

    def commit(self) -> None:
        """Write what was gathered, and commit it.

        :raises CommitLostError: nobody knows whether that was done.
        """
        if self._moved is None:
            self._line.commit()
            return
        changes = Changes(self._line, self._log, self._records)
        for entry in self._entries:
            changes.add(entry)
        self._line.commit(*changes.left(), *self._writes(*self._moved))

    def _writes(self, head: Head, at_ns: int) -> Iterator[Question]:
        log, entries = self._log, self._entries
        yield _PROPOSALS, [proposal_row(log, entry.envelope) for entry in entries]
        yield _DECISIONS, [decision_row(log, entry) for entry in entries]
        yield _ENTRIES, [entry_row(log, entry) for entry in entries]
        times = {entry.envelope.id: entry.at_ns for entry in entries}
        places: dict[str, int] = {}
        votes = []
        for ballot in self._ballots:
            places[ballot.proposal] = places.get(ballot.proposal, -1) + 1
            votes.append(vote_row(log, ballot, places[ballot.proposal], times[ballot.proposal]))
        yield _VOTES, votes
        yield _SPENT, [{"log": log, "use": use, "proposal": proposal} for use, proposal in self._uses]
        yield (
            _SUBJECTS_PUT,
            [
                {"log": log, "name": name, "version": self._versions[name], "proposal": proposal, "since": since}
                for name, (proposal, since) in self._states.items()
            ],
        )
        for roster, position in self._new_rosters:
            body = roster.text()
            yield _ROSTERS, [{"log": log, "version": roster.version, "position": position, "body": body}]
            yield _VOTERS, [{"log": log, **voter} for voter in voter_rows(roster)]
        yield _HEAD_MOVED, {"own": log, "new_position": head.index, "new_hash": head.hash, "new_at_ns": at_ns}


def _lease(row: Row) -> Lease:
    holder, epoch, since_ns, expires_ns = row
    return Lease(holder=holder, epoch=epoch, since_ns=since_ns, expires_ns=expires_ns)


def _moves(proposal: Proposal) -> bool:
    """Whether a proposal is about a pattern, and cites what a database can be asked for."""
    return isinstance(proposal.change, MovePattern) and all(one.place.isprintable() for one in proposal.evidence)


def _is_text(value: str) -> bool:
    """Whether a database can hold a text that anybody may have sent."""
    return "\0" not in value and value.isascii()
