"""What the quorum had decided at a position of the log: the same for whoever asks, whenever it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, func, select

from coinswarm.domain.proposal import ProposalKind
from coinswarm.errors import DataError
from coinswarm.memory.quorum.codec import MalformedError, envelope_from
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.store.among import among, listing
from coinswarm.memory.store.models import Episode
from coinswarm.memory.store.tables import EntryRow, ProposalRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import BindParameter, Connection, Select

    from coinswarm.domain.proposal import Proposal

_LOG: BindParameter[int] = bindparam("log")
_JOINED = (ProposalRow.log == EntryRow.log) & (ProposalRow.id == EntryRow.proposal)
_UPTO = (EntryRow.log == _LOG, EntryRow.position <= bindparam("position"), EntryRow.outcome == bindparam("outcome"))
_VERSION = (
    select(func.count())
    .select_from(EntryRow)
    .join(ProposalRow, _JOINED)
    .where(*_UPTO, ProposalRow.subject == bindparam("subject"))
)
_DECIDED = (
    select(EntryRow.position, EntryRow.at_ns, ProposalRow.body, ProposalRow.signature)
    .join(ProposalRow, _JOINED)
    .where(*_UPTO, among(ProposalRow.kind, "kinds"))
    .order_by(EntryRow.position)
)
_ABOUT = _DECIDED.where(ProposalRow.about == bindparam("about"))
_NEWEST = _DECIDED.order_by(None).order_by(EntryRow.position.desc()).limit(bindparam("most"))
_SETTINGS = _DECIDED.where(ProposalRow.about.startswith("acceptance.", autoescape=True))
_REMEMBERED = (
    select(Episode.id)
    .where(Episode.log == _LOG, among(Episode.id, "ids"), Episode.since <= bindparam("position"))
    .order_by(Episode.id)
)


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

    def version(self, subject: str) -> int:
        """The version of a subject: each acceptance makes one."""
        given = {**self._given, "outcome": Outcome.ACCEPT.value, "subject": subject}
        return int(self._connection.execute(_VERSION, given).scalar_one())

    def decided(
        self, *kinds: ProposalKind, about: str | None = None, outcome: Outcome = Outcome.ACCEPT
    ) -> list[Decided]:
        """Proposals of some kinds that ended so, oldest first.

        :param about: the pattern, agent or rule that they would change; None: any.
        """
        given = {**self._given, "outcome": outcome.value, "kinds": listing(kinds)}
        if about is None:
            return self._read(_DECIDED, given)
        return self._read(_ABOUT, {**given, "about": about})

    def newest(self, kind: ProposalKind, most: int) -> list[Decided]:
        """The last accepted proposals of a kind, newest first."""
        given = {**self._given, "outcome": Outcome.ACCEPT.value, "kinds": listing([kind]), "most": most}
        return self._read(_NEWEST, given)

    def settings(self) -> list[Decided]:
        """Accepted settings of the rules of acceptance, oldest first."""
        kinds = listing([ProposalKind.CONFIGURE])
        return self._read(_SETTINGS, {**self._given, "outcome": Outcome.ACCEPT.value, "kinds": kinds})

    def remembered(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Which of some episodes had been accepted."""
        found = self._connection.execute(_REMEMBERED, {**self._given, "ids": listing(ids)})
        return tuple(found.scalars())

    def _read(self, statement: Select[int, int, str, str], given: dict[str, Any]) -> list[Decided]:
        rows = self._connection.execute(statement, given).all()
        return [Decided(position, at_ns, _proposal(position, body, sign)) for position, at_ns, body, sign in rows]


def _proposal(position: int, body: str, signature: str) -> Proposal:
    try:
        return envelope_from(body.encode(), signature).proposal
    except MalformedError as error:
        message = f"entry {position} of the log cannot be read ({error})"
        raise DataError(message, remedy="coinswarm memory verify tells what was changed") from None
