"""The quorum's log in a database."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from coinswarm.clock import SystemClock
from coinswarm.domain.proposal import Configure, Proposal, ProposalKind
from coinswarm.errors import DataError, UnknownNameError
from coinswarm.memory.quorum.codec import MalformedError, ballot_from, envelope_from
from coinswarm.memory.quorum.log import Log
from coinswarm.memory.quorum.reader import LogRead
from coinswarm.memory.quorum.records import Entry, Envelope, Head, Outcome
from coinswarm.memory.store.engine import translated
from coinswarm.memory.store.line import Lines, committed
from coinswarm.memory.store.statement import NOW, Insertion, Statement
from coinswarm.memory.store.tables import EntryRow, HeadRow, ProposalRow, QuorumVote, SealRow
from coinswarm.memory.store.transaction import SqlTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import BindParameter, ColumnElement, Engine
    from sqlalchemy.orm import InstrumentedAttribute

    from coinswarm.memory.quorum.log import Transaction
    from coinswarm.memory.quorum.records import Seal
    from coinswarm.memory.store.engine import Place
    from coinswarm.memory.store.line import Line, Row

_LOG: BindParameter[int] = bindparam("log")


def _of_its_proposal(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """A column of an entry's proposal; empty where that is gone, which no reader accepts.

    Not joined: what PostgreSQL planned while the tables were empty it goes on doing, and that was a way through all
    proposals for each entry.
    """
    its = select(column).where(ProposalRow.log == EntryRow.log, ProposalRow.id == EntryRow.proposal)
    return func.coalesce(its.scalar_subquery(), "")


_STANDS = select(HeadRow.position, HeadRow.hash, HeadRow.at_ns).where(HeadRow.log == _LOG)
_HEAD, _HEAD_AND_CLOCK = Statement(_STANDS), Statement(_STANDS.add_columns(NOW))
_ENTRIES = Statement(
    select(
        EntryRow.position,
        EntryRow.previous,
        EntryRow.hash,
        EntryRow.epoch,
        EntryRow.at_ns,
        EntryRow.outcome,
        _of_its_proposal(ProposalRow.body),
        _of_its_proposal(ProposalRow.signature),
    )
    .where(EntryRow.log == _LOG, EntryRow.position > bindparam("after"), EntryRow.position <= bindparam("last"))
    .order_by(EntryRow.position)
)
_VOTES = Statement(
    select(EntryRow.position, QuorumVote.body, QuorumVote.signature)
    .join(QuorumVote, (QuorumVote.log == EntryRow.log) & (QuorumVote.proposal_id == EntryRow.proposal))
    .where(EntryRow.log == _LOG, EntryRow.position > bindparam("after"), EntryRow.position <= bindparam("last"))
    .order_by(EntryRow.position, QuorumVote.place)
)
_SEALS = Insertion(SealRow, replaces=True)


class SqlLog(Log):
    """One shard's log in a store; may be used by several threads at once.

    :param engine, place, lines: of the store.
    :param whose: cluster and shard, and the log's number in the tables.
    :param clock: nanoseconds; by default the database's: PostgreSQL's own, and this machine's for a file.
    :ivar clock: None: PostgreSQL's own.
    """

    def __init__(
        self,
        engine: Engine,
        place: Place,
        lines: Lines,
        whose: tuple[str, str, int],
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.cluster, self.shard, self.number = whose
        self._engine, self._place, self._lines = engine, place, lines
        self.clock = clock or (None if place.path is None else SystemClock().now_ns)
        self._known: dict[int, tuple[object, Entry]] = {}
        """The last entries that were read: position -> every byte of its rows, and what they say."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """As ``Log.transaction``.

        :raises AmbiguousError: the connection broke while it was being committed.
        :raises UnreachableError: nothing was done, and trying again may help.
        :raises OperatorError: nothing was done, and somebody must act: no space, no rights, no tables.
        """
        with committed(self._place), self._lines.writing() as line:
            held = self._held(line)
            yield held
            self._commit(held)

    def _held(self, line: Line) -> SqlTransaction:
        """A transaction over a line."""
        return SqlTransaction(line, self.number, self.clock, self._lines.reading)

    def _commit(self, held: SqlTransaction) -> None:
        held.commit()

    def read(self, token: int, after: int, limit: int) -> LogRead:
        """As ``Log.read``. What cannot be read any more comes as an entry that no reader accepts.

        :raises UnreachableError, OperatorError: as ``transaction``.
        """
        given = {"log": self.number}
        bounds = {**given, "after": after, "last": after + limit}
        questions = [(_ENTRIES, bounds), (_VOTES, bounds)] if limit else []
        with translated(self._place), self._lines.reading() as line:
            # No transaction: the head is read first, and what lies before it never changes.
            [head], *found = line.ask((_HEAD if self.clock else _HEAD_AND_CLOCK, given), *questions)
        position, link, at_ns = head[:3]
        now = self.clock() if self.clock else head[3]
        rows, votes = found or ([], [])
        proofs: dict[int, list[tuple[str, str]]] = {}
        for of, body, signature in votes:
            proofs.setdefault(of, []).append((body, signature))
        entries = [self._entry(one, proofs.get(one[0], [])) for one in rows if one[0] <= position]
        return LogRead(token, after, entries, Head(position, link), max(now, at_ns))

    def _entry(self, row: Row, ballots: list[tuple[str, str]]) -> Entry:
        """The entry of some rows; the same object for the same bytes, since all parts of a process read each entry."""
        told, position = (row, ballots), row[0]
        before = self._known.get(position)
        if before is not None and before[0] == told:
            return before[1]
        entry = _entry(row, ballots)
        self._known[position] = told, entry
        most = _KEPT if len(row[6]) <= _LONG else max(2, _KEPT // 32)
        if len(self._known) > most:
            kept = list(self._known.items())  # at once: other threads write
            self._known = {at: one for at, one in kept if at > position - most // 2}
        return entry

    def keep_seal(self, seal: Seal) -> None:
        """Keep a seal beside the log: it does not replace the copies that the log's owner cannot reach.

        :raises AmbiguousError, UnreachableError, OperatorError: as ``transaction``.
        """
        rows = [
            {
                "log": self.number,
                "position": seal.head.index,
                "voter": vote.voter,
                "body": vote.body.decode(),
                "signature": vote.signature,
            }
            for vote in seal.votes
        ]
        with committed(self._place), self._lines.writing() as line:
            line.commit((_SEALS, rows))

    def find(self, beginning: str) -> int:
        """The entry about the proposal whose id begins so; 0 where none does.

        :raises UnknownNameError: where several do.
        """
        asked = (
            select(EntryRow.position, EntryRow.proposal)
            .where(EntryRow.log == _LOG, EntryRow.proposal.startswith(beginning, autoescape=True))
            .limit(_SHOWN)
        )
        with translated(self._place), self._engine.connect() as connection:
            found = connection.execute(asked, {"log": self.number}).all() if beginning.isalnum() else []
        if len(found) > 1:
            message = f"{beginning!r} begins the ids of several proposals"
            raise UnknownNameError(message, remedy=f"say more: {', '.join(row.proposal for row in found)}")
        return found[0].position if found else 0


_KEPT = 4_096
"""How many entries are remembered; a reader asks for less at once."""

_LONG = 8 * 1024
"""Where an entry's proposal is longer, as one of many episodes is, a thirty-second of that."""

_SHOWN = 3
"""How many ids a message shows."""

_NOTHING = Proposal(kind=ProposalKind.CONFIGURE, subject="nothing", base_version=0, change=Configure("nothing", ""))


def _entry(row: Row, ballots: list[tuple[str, str]]) -> Entry:
    """The entry of a row; where row and bytes do not fit together, one that belongs to nobody's log."""
    position, previous, link, epoch, at_ns, outcome, body, signature = row
    why, proof = "", []
    for cast, signed in ballots:
        try:
            proof.append(ballot_from(cast.encode(), signed))
        except MalformedError:  # without it there is no proof, and a reader says so
            continue
    try:
        envelope = envelope_from(body.encode(), signature)
    except MalformedError as error:
        why, envelope = str(error), _nobodys("unreadable")
    known = outcome in set(Outcome)
    if not known:
        why = why or f"its outcome is {outcome!r}, which is none"
    entry = Entry(
        index=position,
        previous=previous,
        epoch=epoch,
        at_ns=at_ns,
        envelope=envelope,
        outcome=Outcome(outcome) if known else Outcome.REJECT,
        proof=tuple(proof),
    )
    why = why or _not_hashed(entry, link)
    return replace(entry, envelope=_nobodys(f"({why})")) if why else entry


def _not_hashed(entry: Entry, link: str) -> str:
    """Why an entry's hash is not the one that stands beside it; empty where it is."""
    try:
        found = entry.hash
    except ValueError as error:  # what it says that came before is no hash
        return f"it cannot be hashed: {error}"
    return "" if found == link else "its hash is not that of what it says"


def readable(entries: Iterable[Entry]) -> list[Entry]:
    """Entries for people: of what a reader would stop at, they are told no content, since it has none of its own.

    :raises DataError: naming the first entry that is not what was written.
    """
    found = list(entries)
    for entry in found:
        if entry.envelope.proposal is _NOTHING:  # a cluster may have any name, also that one
            message = f"entry {entry.index} of the log is not what was written {entry.envelope.shard}"
            raise DataError(message, remedy="run coinswarm memory verify, and see docs/swarm.md")
    return found


def _nobodys(why: str) -> Envelope:
    """An envelope that no log takes: a reader stops at it, and says why."""
    return Envelope(
        cluster="nobody", shard=why, roster=0, submitter="nobody", nonce=0, deadline_ns=0, proposal=_NOTHING
    )
