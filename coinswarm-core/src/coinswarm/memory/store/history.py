"""What the quorum had decided at a position of the log: the same for whoever asks, whenever it is asked."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Text, bindparam, cast, func, literal, select, union_all

from coinswarm.domain.proposal import ProposalKind
from coinswarm.errors import DataError
from coinswarm.memory.quorum.codec import MalformedError, envelope_from
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.store.among import among, listing
from coinswarm.memory.store.models import Episode, SpaceRow
from coinswarm.memory.store.tables import EntryRow, HeadRow, ProposalRow
from coinswarm.memory.store.transaction import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import BindParameter, Connection, Select

    from coinswarm.domain.proposal import Proposal

_LOG: BindParameter[int] = bindparam("log")
_JOINED = (ProposalRow.log == EntryRow.log) & (ProposalRow.id == EntryRow.proposal)
_UPTO = (EntryRow.log == _LOG, EntryRow.position <= bindparam("position"), EntryRow.outcome == bindparam("outcome"))
_DECIDED = (
    select(EntryRow.position, EntryRow.at_ns, ProposalRow.body, ProposalRow.signature)
    .join(ProposalRow, _JOINED)
    .where(*_UPTO, among(ProposalRow.kind, "kinds"))
    .order_by(EntryRow.position)
)
_ABOUT = _DECIDED.where(ProposalRow.about == bindparam("about"))
_NEWEST = _DECIDED.order_by(None).order_by(EntryRow.position.desc()).limit(bindparam("most"))
_REMEMBERED = (
    select(Episode.id)
    .where(Episode.log == _LOG, among(Episode.id, "ids"), Episode.since <= bindparam("position"))
    .order_by(Episode.id)
)
_ACCEPTED = (
    EntryRow.log == _LOG,
    EntryRow.position <= bindparam("position"),
    EntryRow.outcome == Outcome.ACCEPT.value,
)
_VERSIONS = (
    select(ProposalRow.subject, func.count())
    .select_from(EntryRow)
    .join(ProposalRow, _JOINED)
    .where(*_ACCEPTED, among(ProposalRow.subject, "subjects"))
    .group_by(ProposalRow.subject)
)
_STANDING = union_all(
    select(literal("version"), cast(func.count(), Text), literal(""), literal(""))
    .select_from(EntryRow)
    .join(ProposalRow, _JOINED)
    .where(*_ACCEPTED, ProposalRow.subject == bindparam("subject")),
    select(literal("setting"), cast(EntryRow.position, Text), ProposalRow.body, ProposalRow.signature)
    .join(ProposalRow, _JOINED)
    .where(
        *_ACCEPTED,
        ProposalRow.kind == ProposalKind.CONFIGURE.value,
        ProposalRow.about.startswith("acceptance.", autoescape=True),
    ),
    select(literal("remembered"), Episode.id, literal(""), literal("")).where(
        Episode.log == _LOG, among(Episode.id, "ids"), Episode.since <= bindparam("position")
    ),
    select(literal("space"), SpaceRow.name, cast(SpaceRow.dimension, Text), literal("")).where(SpaceRow.log == _LOG),
    select(literal("time"), cast(HeadRow.at_ns, Text), literal(""), literal("")).where(HeadRow.log == _LOG),
)
"""What every proposal is judged by, in one answer: kind, and up to three values."""
_STANDING_NOW = union_all(_STANDING, select(literal("time"), cast(NOW, Text), literal(""), literal("")))
"""The same, and PostgreSQL's clock."""

HEAD = (1 << 63) - 1
"""As a position: wherever the log stands."""


class Standing(NamedTuple):
    """What every proposal is judged by.

    :param version: of its subject: each acceptance makes one.
    :param settings: accepted settings of the rules of acceptance, oldest first.
    :param remembered: which of the episodes that were asked for had been accepted.
    :param spaces: name and width.
    :param now_ns: the time of the log's last entry, or the database's clock where it was asked for and is later.
    """

    version: int
    settings: tuple[Proposal, ...]
    remembered: frozenset[str]
    spaces: tuple[tuple[str, int], ...]
    now_ns: int


class Decided(NamedTuple):
    """A proposal that was decided.

    :param at_ns: the log's time.
    """

    position: int
    at_ns: int
    proposal: Proposal


class History:
    """What had been decided at a position.

    :param connection: to read over; :param log: its number.
    """

    def __init__(self, connection: Connection, log: int, position: int) -> None:
        self._connection = connection
        self._given = {"log": log, "position": position}

    def standing(self, subject: str, ids: Iterable[str], *, clock: bool) -> Standing:
        """What a proposal about a subject is judged by.

        :param ids: of the episodes that it may be about.
        :param clock: also read PostgreSQL's clock.
        """
        given = {**self._given, "subject": subject, "ids": listing(ids)}
        statement = _STANDING_NOW if clock else _STANDING
        found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for kind, first, second, third in self._connection.execute(statement, given):
            found[kind].append((first, second, third))
        settings = sorted((int(position), body, signature) for position, body, signature in found["setting"])
        return Standing(
            version=int(found["version"][0][0]),
            settings=tuple(_read(*one) for one in settings),
            remembered=frozenset(name for name, _, _ in found["remembered"]),
            spaces=tuple(sorted((name, int(dimension)) for name, dimension, _ in found["space"])),
            now_ns=max(int(ns) for ns, _, _ in found["time"]),
        )

    def decided(
        self, *kinds: ProposalKind, about: str | None = None, outcome: Outcome = Outcome.ACCEPT
    ) -> list[Decided]:
        """Proposals of some kinds that ended so, oldest first.

        :param about: the pattern, agent or rule that they would change; None: any.
        """
        given = {**self._given, "outcome": outcome.value, "kinds": listing(kinds)}
        if about is None:
            return self._all(_DECIDED, given)
        return self._all(_ABOUT, {**given, "about": about})

    def newest(self, kind: ProposalKind, most: int) -> list[Decided]:
        """The last accepted proposals of a kind, newest first."""
        given = {**self._given, "outcome": Outcome.ACCEPT.value, "kinds": listing([kind]), "most": most}
        return self._all(_NEWEST, given)

    def remembered(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Which of some episodes had been accepted."""
        found = self._connection.execute(_REMEMBERED, {**self._given, "ids": listing(ids)})
        return tuple(found.scalars())

    def _all(self, statement: Select[int, int, str, str], given: dict[str, Any]) -> list[Decided]:
        rows = self._connection.execute(statement, given).all()
        return [Decided(position, at_ns, _read(position, body, sign)) for position, at_ns, body, sign in rows]


class PrimedHistory(History):
    """The same, with what several proposals are judged by read at once; whatever else is asked for is read as ever.

    :param subjects: of the proposals; :param ids: of the episodes that they may be about.
    :param clock: also read PostgreSQL's clock.
    """

    def __init__(  # noqa: PLR0913 - where it reads, and what
        self,
        connection: Connection,
        log: int,
        position: int,
        *,
        subjects: Iterable[str],
        ids: Iterable[str],
        clock: bool,
    ) -> None:
        super().__init__(connection, log, position)
        self._subjects, self._ids = frozenset(subjects), frozenset(ids)
        given = {**self._given, "subjects": listing(self._subjects)}
        self._versions = {subject: int(number) for subject, number in connection.execute(_VERSIONS, given)}
        self._common = super().standing("", self._ids, clock=clock)

    def standing(self, subject: str, ids: Iterable[str], *, clock: bool) -> Standing:
        """What a proposal about a subject is judged by."""
        asked = frozenset(ids)
        if subject not in self._subjects or not asked <= self._ids:
            return super().standing(subject, asked, clock=clock)
        remembered = self._common.remembered & asked
        return self._common._replace(version=self._versions.get(subject, 0), remembered=remembered)

    def remembered(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Which of some episodes had been accepted."""
        asked = frozenset(ids)
        return tuple(sorted(asked & self._common.remembered)) if asked <= self._ids else super().remembered(asked)


@lru_cache(maxsize=256)
def _read(position: int, body: str, signature: str) -> Proposal:
    """The proposal of an entry."""
    try:
        return envelope_from(body.encode(), signature).proposal
    except MalformedError as error:
        message = f"entry {position} of the log cannot be read ({error})"
        raise DataError(message, remedy="coinswarm memory verify tells what was changed") from None
