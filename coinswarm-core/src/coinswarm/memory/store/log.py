"""The quorum's log in a database."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError

from coinswarm.clock import SystemClock
from coinswarm.domain.proposal import Configure, Proposal, ProposalKind
from coinswarm.errors import AmbiguousError, UnknownNameError
from coinswarm.memory.quorum.codec import MalformedError, ballot_from, envelope_from
from coinswarm.memory.quorum.log import Log
from coinswarm.memory.quorum.reader import LogRead
from coinswarm.memory.quorum.records import Entry, Envelope, Head, Outcome
from coinswarm.memory.store.engine import reading, translated
from coinswarm.memory.store.state import put
from coinswarm.memory.store.tables import EntryRow, HeadRow, ProposalRow, QuorumVote, SealRow
from coinswarm.memory.store.transaction import NOW, SqlTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import BindParameter, Connection, Engine, RootTransaction, Row

    from coinswarm.memory.quorum.log import Transaction
    from coinswarm.memory.quorum.records import Seal
    from coinswarm.memory.store.engine import Place

_LOG: BindParameter[int] = bindparam("log")
_HEAD = select(HeadRow.position, HeadRow.hash, HeadRow.at_ns).where(HeadRow.log == _LOG)
_HEAD_AND_CLOCK = _HEAD.add_columns(NOW.label("now_ns"))
_ENTRIES = (
    select(
        EntryRow.position,
        EntryRow.previous,
        EntryRow.hash,
        EntryRow.epoch,
        EntryRow.at_ns,
        EntryRow.outcome,
        ProposalRow.body,
        ProposalRow.signature,
    )
    .join(ProposalRow, (ProposalRow.log == EntryRow.log) & (ProposalRow.id == EntryRow.proposal))
    .where(EntryRow.log == _LOG, EntryRow.position > bindparam("after"), EntryRow.position <= bindparam("last"))
    .order_by(EntryRow.position)
)
_VOTES = (
    select(EntryRow.position, QuorumVote.body, QuorumVote.signature)
    .join(QuorumVote, (QuorumVote.log == EntryRow.log) & (QuorumVote.proposal_id == EntryRow.proposal))
    .where(EntryRow.log == _LOG, EntryRow.position > bindparam("after"), EntryRow.position <= bindparam("last"))
    .order_by(EntryRow.position, QuorumVote.place)
)


class SqlLog(Log):
    """One shard's log in a store; may be used by several threads at once.

    :param engine, place: of the store.
    :param whose: cluster and shard, and the log's number in the tables.
    :param clock: nanoseconds; by default the database's: PostgreSQL's own, and this machine's for a file.
    :ivar clock: None: PostgreSQL's own.
    :ivar reading: an engine for who only reads.
    """

    def __init__(
        self, engine: Engine, place: Place, whose: tuple[str, str, int], clock: Callable[[], int] | None = None
    ) -> None:
        self.cluster, self.shard, self.number = whose
        self._place = place
        self.clock = clock or (None if place.path is None else SystemClock().now_ns)
        self._writing = engine.execution_options(writes=True)
        # Reads need no transaction: the head is read first, and what lies before it never changes.
        self.reading = reading(engine)
        self._known: dict[int, tuple[object, Entry]] = {}
        """The last entries that were read: position -> every byte of its rows, and what they say."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """As ``Log.transaction``.

        :raises AmbiguousError: the connection broke while it was being committed.
        :raises UnreachableError: nothing was done, and trying again may help.
        :raises OperatorError: nothing was done, and somebody must act: no space, no rights, no tables.
        """
        with translated(self._place), self._writing.connect() as connection:
            begun = connection.begin()
            held = self._held(connection)
            try:
                yield held
                held.flush()
            except BaseException:
                with suppress(DBAPIError):  # the connection is gone, and the transaction with it
                    begun.rollback()
                raise
            self._commit(connection, begun)

    def _held(self, connection: Connection) -> SqlTransaction:
        """A transaction on a connection that has begun one."""
        return SqlTransaction(connection, self.number, self.clock)

    def _commit(self, connection: Connection, begun: RootTransaction) -> None:
        """Commit, or say that nobody knows."""
        try:
            begun.commit()
        except DBAPIError as error:
            if _was_undone(connection, error):
                raise
            message = f"{self._place.name} gave no answer to a commit"
            raise AmbiguousError(message, remedy="ask again, which is safe") from error

    def read(self, token: int, after: int, limit: int) -> LogRead:
        """As ``Log.read``. What cannot be read any more comes as an entry that no reader accepts.

        :raises UnreachableError, OperatorError: as ``transaction``.
        """
        with translated(self._place), self.reading.connect() as connection:
            given = {"log": self.number}
            row = connection.execute(_HEAD if self.clock else _HEAD_AND_CLOCK, given).one()
            now = self.clock() if self.clock else row.now_ns
            last = min(row.position, after + limit)
            rows: Sequence[Row[int, str, str, int, int, str, str, str]] = []
            proofs: dict[int, list[tuple[str, str]]] = {}
            if last > after:
                bounds = {**given, "after": after, "last": last}
                rows = connection.execute(_ENTRIES, bounds).all()
                for position, body, signature in connection.execute(_VOTES, bounds):
                    proofs.setdefault(position, []).append((body, signature))
        entries = [self._entry(one, proofs.get(one.position, [])) for one in rows]
        return LogRead(token, after, entries, Head(row.position, row.hash), max(now, row.at_ns))

    def _entry(self, row: Row[int, str, str, int, int, str, str, str], ballots: list[tuple[str, str]]) -> Entry:
        """The entry of some rows; the same object for the same bytes, since all parts of a process read each entry."""
        told = (tuple(row), ballots)
        before = self._known.get(row.position)
        if before is not None and before[0] == told:
            return before[1]
        entry = _entry(row, ballots)
        self._known[row.position] = told, entry
        if len(self._known) > _KEPT:
            kept = list(self._known.items())  # at once: other threads write
            self._known = {at: one for at, one in kept if at > row.position - _KEPT // 2}
        return entry

    def keep_seal(self, seal: Seal) -> None:
        """Keep a seal beside the log: it does not replace the copies that the log's owner cannot reach.

        :raises UnreachableError, OperatorError: as ``transaction``.
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
        with translated(self._place), self._writing.begin() as connection:
            connection.execute(put(connection, SealRow), rows)

    def find(self, beginning: str) -> int:
        """The entry about the proposal whose id begins so; 0 where none does.

        :raises UnknownNameError: where several do.
        """
        asked = (
            select(EntryRow.position, EntryRow.proposal)
            .where(EntryRow.log == _LOG, EntryRow.proposal.startswith(beginning, autoescape=True))
            .limit(_SHOWN)
        )
        with translated(self._place), self.reading.connect() as connection:
            found = connection.execute(asked, {"log": self.number}).all() if beginning else []
        if len(found) > 1:
            message = f"{beginning!r} begins the ids of several proposals"
            raise UnknownNameError(message, remedy=f"say more: {', '.join(row.proposal for row in found)}")
        return found[0].position if found else 0


_KEPT = 4_096
"""How many entries are remembered; a reader asks for less at once."""

_SHOWN = 3
"""How many ids a message shows."""

_NOTHING = Proposal(kind=ProposalKind.CONFIGURE, subject="nothing", base_version=0, change=Configure("nothing", ""))


def _entry(row: Row[int, str, str, int, int, str, str, str], ballots: list[tuple[str, str]]) -> Entry:
    """The entry of a row; where row and bytes do not fit together, one that belongs to nobody's log."""
    why, proof = "", []
    for body, signature in ballots:
        with suppress(MalformedError):  # without it there is no proof, and a reader says so
            proof.append(ballot_from(body.encode(), signature))
    try:
        envelope = envelope_from(row.body.encode(), row.signature)
    except MalformedError as error:
        why, envelope = str(error), _nobodys("unreadable")
    entry = Entry(
        index=row.position,
        previous=row.previous,
        epoch=row.epoch,
        at_ns=row.at_ns,
        envelope=envelope,
        outcome=Outcome(row.outcome),
        proof=tuple(proof),
    )
    if not why and entry.hash != row.hash:
        why = "its hash is not that of what it says"
    return replace(entry, envelope=_nobodys(f"({why})")) if why else entry


def _nobodys(why: str) -> Envelope:
    """An envelope that no log takes: a reader stops at it, and says why."""
    return Envelope(
        cluster="nobody", shard=why, roster=0, submitter="nobody", nonce=0, deadline_ns=0, proposal=_NOTHING
    )


def _was_undone(connection: Connection, error: DBAPIError) -> bool:
    """Whether a commit that failed is known to have done nothing: the database itself said so."""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT}
    state = getattr(error.orig, "sqlstate", None)
    return not connection.invalidated and state is not None and not state.startswith(("08", "57"))
