"""A stored log held against itself, against seals, and against the tables beside it; and the state derived anew."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from coinswarm.memory.quorum.codec import MalformedError, seal_vote_from
from coinswarm.memory.quorum.fold import BadEntryError, advance, genesis
from coinswarm.memory.quorum.records import Head, Outcome, Seal
from coinswarm.memory.quorum.roster import reconfigures
from coinswarm.memory.quorum.verify import Report, verify
from coinswarm.memory.store.engine import translated, unhurried
from coinswarm.memory.store.models import AgentState, Episode, Pattern
from coinswarm.memory.store.rows import proposal_row, vote_row, voter_rows
from coinswarm.memory.store.state import Changes
from coinswarm.memory.store.tables import (
    DecisionRow,
    EntryRow,
    HeadRow,
    ProposalRow,
    QuorumVote,
    RosterRow,
    SealRow,
    SpentRow,
    SubjectRow,
    VoterRow,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Connection

    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.quorum.roster import Roster
    from coinswarm.memory.store.log import SqlLog
    from coinswarm.memory.store.opening import Store

PAGE = 1_000
"""Entries that are read at once."""

DERIVED: tuple[type[Any], ...] = (VoterRow, RosterRow, SubjectRow, SpentRow, Episode, Pattern, AgentState)
"""Tables that follow from the log, in an order in which they can be emptied."""


def entries_of(log: SqlLog, last: int, told: Callable[[int], None] = lambda _: None) -> Iterator[Entry]:
    """The entries of a log from the first on, a page at a time.

    :param last: index of the last that is wanted.
    :param told: how many were read, after each page.
    """
    after = 0
    while after < last:
        part = log.read(0, after, min(PAGE, last - after)).entries
        if not part:
            return
        yield from part
        after += len(part)
        told(after)


def verified(
    store: Store,
    scheme: Scheme,
    *,
    roster: Roster | None = None,
    kept: Iterable[Seal] = (),
    told: Callable[[int], None] = lambda _: None,
) -> Report:
    """Verify a stored log: chain, signatures, proofs, rulings, seals, and the rows beside its entries.

    :param roster: that it began with, from where its owner cannot reach; by default the store's own.
    :param kept: seals from elsewhere; the store's own are held against it too.
    :param told: how many entries were read, after each page.
    """
    start = genesis(store.log.cluster, store.log.shard, roster or store.first)
    with translated(store.place), store.engine.connect() as connection:
        unhurried(connection)
        seals = [*kept, *_seals(connection, store.log.number)]
    head = store.log.read(0, 0, 0).head  # behind the seals: the log may grow meanwhile, and what it grows by be sealed
    report = verify(start, entries_of(store.log, head.index, told), head, scheme, seals)
    if report.why:
        return report
    with translated(store.place), store.engine.connect() as connection:
        unhurried(connection)
        strays = (_stray(connection, store.log.number), _beside(connection, store, head.index))
    bad, why = min((one for one in strays if one[1]), default=(0, ""))
    return Report(report.fold, bad, why) if why else report


def _beside(connection: Connection, store: Store, last: int) -> tuple[int, str]:
    """The first entry whose proposal or ballots stand in the tables otherwise than in what was signed.

    Bodies are in the chain. What they are found by is written beside them once more.
    """
    log = store.log.number
    for after in range(0, last, PAGE):
        page = (EntryRow.log == log, EntryRow.position > after, EntryRow.position <= after + PAGE)
        proposals = connection.execute(
            select(ProposalRow.__table__)
            .join(EntryRow, (EntryRow.log == ProposalRow.log) & (EntryRow.proposal == ProposalRow.id))
            .where(*page)
        ).mappings()
        votes = connection.execute(
            select(QuorumVote.__table__)
            .join(EntryRow, (EntryRow.log == QuorumVote.log) & (EntryRow.proposal == QuorumVote.proposal_id))
            .where(*page)
        ).mappings()
        told = {row["id"]: dict(row) for row in proposals}
        cast: dict[str, list[dict[str, Any]]] = {}
        for row in votes:
            cast.setdefault(row["proposal_id"], []).append({name: row[name] for name in row if name != "id"})
        for entry in store.log.read(0, after, min(PAGE, last - after)).entries:
            name = entry.envelope.id
            ballots = [vote_row(log, one, place, entry.at_ns) for place, one in enumerate(entry.proof)]
            if told.get(name) != proposal_row(log, entry.envelope):
                return entry.index, f"the row of the proposal of entry {entry.index} says something else than that does"
            if sorted(cast.get(name, []), key=itemgetter("place")) != ballots:
                return entry.index, f"a row of a ballot of entry {entry.index} says something else than that does"
    return 0, ""


def _seals(connection: Connection, log: int) -> list[Seal]:
    """The seals in the store; what cannot be read vouches for nothing."""
    found: dict[Head, list[Any]] = {}
    rows = connection.execute(select(SealRow.body, SealRow.signature).where(SealRow.log == log))
    for body, signature in rows:
        try:
            vote = seal_vote_from(body.encode(), signature)
        except MalformedError:
            continue
        found.setdefault(vote.head, []).append(vote)
    return [Seal(head, tuple(votes)) for head, votes in found.items()]


def _stray(connection: Connection, log: int) -> tuple[int, str]:
    """The first entry whose decision says something else, or a decision that has none; ballots are in the hash.

    Asked in one statement, which sees one moment: each decision is committed together with its entry.
    """
    place, outcome = EntryRow.position, EntryRow.outcome
    asked = (
        select(DecisionRow.proposal, DecisionRow.position, DecisionRow.outcome, place.label("entry"), outcome)
        .join(EntryRow, (EntryRow.log == DecisionRow.log) & (EntryRow.proposal == DecisionRow.proposal), isouter=True)
        .where(DecisionRow.log == log)
        .where(place.is_(None) | (place != DecisionRow.position) | (outcome != DecisionRow.outcome))
    )
    odd: list[tuple[int, str]] = []
    rows: Iterable[Any] = connection.execute(asked)
    for proposal, position, told, entry, found in rows:
        if entry is None:
            odd.append((position, f"the decision on {proposal} has no entry"))
        else:
            odd.append((entry, f"entry {entry} says {found}, its decision {told}"))
    return min(odd, default=(0, ""))


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of deriving the state anew.

    :param fold: of the log that it was derived from.
    :param differed: table -> how many rows were missing, too many, or other than they should be.
    """

    fold: Fold
    differed: dict[str, int]


def rebuild(
    store: Store, scheme: Scheme, *, write: bool = True, told: Callable[[int], None] = lambda _: None
) -> Rebuilt:
    """Derive the state from the log, verified entry by entry, and put it in place of what is there.

    Nobody can write the log meanwhile.

    :param write: False: only compare.
    :raises BadEntryError: the log is not whole: nothing is changed.
    """
    log = store.log.number
    with translated(store.place), store.engine.execution_options(writes=True).connect() as connection:
        begun = connection.begin()
        unhurried(connection)
        locked = select(HeadRow.position, HeadRow.hash).where(HeadRow.log == bindparam("log")).with_for_update()
        row = connection.execute(locked, {"log": log}).one()
        before = _rows(connection, log)
        for table in DERIVED:
            connection.execute(delete(table).where(table.log == log))
        fold = _derived(connection, store, scheme, row.position, told)
        if fold.head != Head(row.position, row.hash):
            raise BadEntryError(fold.head.index + 1, "is missing, or another than the head says")
        after = _rows(connection, log)
        differed = {
            name: max(len(rows - after[name]), len(after[name] - rows))
            for name, rows in before.items()
            if rows != after[name]
        }
        if write and differed:
            begun.commit()
        else:
            begun.rollback()
    return Rebuilt(fold, differed)


def _rows(connection: Connection, log: int) -> dict[str, set[tuple[Any, ...]]]:
    """All rows of the derived tables."""
    return {
        table.__tablename__: {tuple(row) for row in connection.execute(select(table.__table__).where(table.log == log))}
        for table in DERIVED
    }


def _derived(connection: Connection, store: Store, scheme: Scheme, last: int, told: Callable[[int], None]) -> Fold:
    """Write what follows from the log, and return its fold."""
    log = store.log.number
    fold = genesis(store.log.cluster, store.log.shard, store.first)
    _insert_roster(connection, log, fold.roster, 0)
    line = store.lines.over(connection)
    changes = Changes(line, log)
    subjects: dict[str, tuple[int, str, int]] = {}
    spent: dict[str, str] = {}
    for entry in entries_of(store.log, last, told):
        fold = advance(fold, entry, scheme)
        changes.add(entry)
        if entry.outcome is Outcome.ACCEPT:
            envelope = entry.envelope
            for name in envelope.proposal.subjects:
                since = subjects[name][2] if name in subjects else entry.index
                subjects[name] = envelope.proposal.base_version + 1, envelope.id, since
            spent[envelope.use] = envelope.id
            if reconfigures(envelope.proposal):
                _insert_roster(connection, log, fold.roster, entry.index)
    line.ask(*changes.left())
    rows = [
        {"log": log, "name": name, "version": version, "proposal": proposal, "since": since}
        for name, (version, proposal, since) in subjects.items()
    ]
    if rows:
        connection.execute(insert(SubjectRow), rows)
        connection.execute(
            insert(SpentRow), [{"log": log, "use": use, "proposal": proposal} for use, proposal in spent.items()]
        )
    return fold


def _insert_roster(connection: Connection, log: int, roster: Roster, position: int) -> None:
    row = {"log": log, "version": roster.version, "position": position, "body": roster.text()}
    connection.execute(insert(RosterRow), row)
    connection.execute(insert(VoterRow), [{"log": log, **voter} for voter in voter_rows(roster)])
