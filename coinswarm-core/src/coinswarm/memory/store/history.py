"""What the quorum had decided at a position of the log: the same for whoever asks, whenever it is asked."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Text, bindparam, cast, func, select, union_all

from coinswarm.domain.proposal import ProposalKind
from coinswarm.errors import DataError
from coinswarm.memory.quorum.codec import MalformedError, envelope_from
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.store.among import ByNumber, among, listing
from coinswarm.memory.store.models import Episode, SpaceRow
from coinswarm.memory.store.statement import NOW, Statement, word
from coinswarm.memory.store.tables import EntryRow, HeadRow, ProposalRow, SubjectRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import BindParameter, ColumnElement, Executable, Select

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.store.among import Names
    from coinswarm.memory.store.line import Line, Question, Row

    Texts = Select[str, str, str, str]
    """Rows of one answer: kind, and up to three values."""

_LOG: BindParameter[int] = bindparam("log")
_JOINED = (ProposalRow.log == EntryRow.log) & (ProposalRow.id == EntryRow.proposal)
_UPTO = (EntryRow.log == _LOG, EntryRow.position <= bindparam("position"), EntryRow.outcome == bindparam("outcome"))
_OF_KINDS = (
    select(EntryRow.position, EntryRow.at_ns, ProposalRow.body, ProposalRow.signature)
    .join(ProposalRow, _JOINED)
    .where(*_UPTO, among(ProposalRow.kind, "kinds"))
)
_DECIDED = Statement(_OF_KINDS.order_by(EntryRow.position))
_ABOUT = Statement(_OF_KINDS.where(ProposalRow.about == bindparam("about")).order_by(EntryRow.position))
_NEWEST = Statement(_OF_KINDS.order_by(EntryRow.position.desc()).limit(bindparam("most")))
_ACCEPTED = (
    EntryRow.log == _LOG,
    EntryRow.position <= bindparam("position"),
    EntryRow.outcome == word(Outcome.ACCEPT.value),
)
_SEVERAL = word(ProposalKind.ADD_EPISODES.value)
_ENDED = (
    select(EntryRow.position)
    .where(
        EntryRow.log == ProposalRow.log,
        EntryRow.proposal == ProposalRow.id,
        EntryRow.outcome == word(Outcome.ACCEPT.value),
    )
    .scalar_subquery()
)
"""Where a proposal was accepted; looked up for each, since a join might go through the whole log instead."""
_SETTINGS = select(word("setting"), cast(_ENDED, Text), ProposalRow.body, ProposalRow.signature).where(
    ProposalRow.log == _LOG,
    ProposalRow.kind == word(ProposalKind.CONFIGURE.value),
    ProposalRow.about.like(word("acceptance.%")),
)
_SPACES = select(word("space"), SpaceRow.name, cast(SpaceRow.dimension, Text), word("")).where(SpaceRow.log == _LOG)
_TIME = select(word("time"), cast(HeadRow.at_ns, Text), word(""), word("")).where(HeadRow.log == _LOG)
_CLOCK = select(word("time"), cast(NOW, Text), word(""), word(""))


def _known(names: Names) -> tuple[ColumnElement[bool], ...]:
    """Which episodes had been accepted, of those that are named."""
    return Episode.log == _LOG, names(Episode.id, "ids"), Episode.since <= bindparam("position")


def _versions(names: Names) -> Texts:
    """The versions of subjects as the log stands."""
    return select(word("version"), SubjectRow.name, cast(SubjectRow.version, Text), word("")).where(
        SubjectRow.log == _LOG, names(SubjectRow.name, "subjects")
    )


def _versions_then(names: Names) -> Texts:
    """The same at an earlier position: each acceptance made one, and the state holds the last only."""
    alone = (
        select(ProposalRow.subject.label("name"))
        .select_from(EntryRow)
        .join(ProposalRow, _JOINED)
        .where(*_ACCEPTED, names(ProposalRow.subject, "subjects"), ProposalRow.kind != _SEVERAL)
    )
    together = (
        select(SubjectRow.name.label("name"))
        .select_from(SubjectRow)
        .join(EntryRow, (EntryRow.log == SubjectRow.log) & (EntryRow.position == SubjectRow.since))
        .join(ProposalRow, _JOINED)
        .where(*_ACCEPTED, names(SubjectRow.name, "subjects"), SubjectRow.log == _LOG, ProposalRow.kind == _SEVERAL)
    )  # what several made together is the first version of each, since they were accepted at version 0
    made = union_all(alone, together).subquery()
    return select(word("version"), made.c.name, cast(func.count(), Text), word("")).group_by(made.c.name)


def _standing(versions: Callable[[Names], Texts], clock: tuple[Texts, ...], names: Names) -> Executable:
    """What every proposal is judged by, in one answer: kind, and up to three values."""
    remembered = select(word("remembered"), Episode.id, word(""), word("")).where(*_known(names))
    return union_all(versions(names), _SETTINGS, remembered, _SPACES, _TIME, *clock)


_REMEMBERED = Statement(select(Episode.id).where(*_known(among)).order_by(Episode.id))
_STANDING = {
    (now, clock): ByNumber(partial(_standing, _versions if now else _versions_then, (_CLOCK,) if clock else ()))
    for now in (True, False)
    for clock in (True, False)
}
"""Whether it is asked for as it stands now, and whether with PostgreSQL's clock -> the statement."""

HEAD = (1 << 63) - 1
"""As a position: wherever the log stands."""


class Standing(NamedTuple):
    """What proposals are judged by.

    :param versions: of their subjects, where there is any: each acceptance makes one.
    :param settings: accepted settings of the rules of acceptance, oldest first.
    :param remembered: which of the episodes that were asked for had been accepted.
    :param spaces: name and width.
    :param now_ns: the time of the log's last entry, or the database's clock where it was asked for and is later.
    """

    versions: dict[str, int]
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

    :param line: to read over; :param log: its number.
    """

    def __init__(self, line: Line, log: int, position: int) -> None:
        self._line = line
        self._given = {"log": log, "position": position}

    def asked(self, subjects: Iterable[str], ids: Iterable[str], *, clock: bool) -> Question:
        """The question how things stood; ``standing`` reads the answer.

        :param subjects: of proposals.
        :param ids: of the episodes that they may be about.
        :param clock: also read PostgreSQL's clock.
        """
        statement = _STANDING[self._given["position"] == HEAD, clock]
        return statement.asked({"subjects": frozenset(subjects), "ids": frozenset(ids)}, self._given)

    def standing(self, rows: list[Row]) -> Standing:
        """How things stood."""
        found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for kind, first, second, third in rows:
            found[kind].append((first, second, third))
        ended = ((int(position or 0), body, signature) for position, body, signature in found["setting"])
        settings = sorted(one for one in ended if 0 < one[0] <= self._given["position"])
        return Standing(
            versions={subject: int(version) for subject, version, _ in found["version"]},
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
        [rows] = self._line.ask((_REMEMBERED, {**self._given, "ids": listing(ids)}))
        return tuple(name for (name,) in rows)

    def _all(self, statement: Statement, given: dict[str, Any]) -> list[Decided]:
        [rows] = self._line.ask((statement, given))
        return [Decided(position, at_ns, _read(position, body, sign)) for position, at_ns, body, sign in rows]


@lru_cache(maxsize=256)
def _read(position: int, body: str, signature: str) -> Proposal:
    """The proposal of an entry."""
    try:
        return envelope_from(body.encode(), signature).proposal
    except MalformedError as error:
        message = f"entry {position} of the log cannot be read ({error})"
        raise DataError(message, remedy="coinswarm memory verify tells what was changed") from None
