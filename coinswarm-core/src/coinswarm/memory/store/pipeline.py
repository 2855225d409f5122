"""A line to PostgreSQL: prepared statements in libpq's pipeline mode, so that one exchange carries a whole transaction.

The driver's cursors are left out: for a handful of short statements they cost several times what libpq does.
"""

from __future__ import annotations

import select
import selectors
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import Error, OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import CharacterNotInRepertoire, InFailedSqlTransaction, error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus

from coinswarm.memory.store import silence
from coinswarm.memory.store.engine import IDLE_SECONDS
from coinswarm.memory.store.line import AWAY, CommitLostError, Line
from coinswarm.memory.store.statement import FEW, POSTGRES, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult
    from sqlalchemy.pool import PoolProxiedConnection

    from coinswarm.memory.store.line import Question, Row, Wrap
    from coinswarm.memory.store.statement import Written

_BINARY = 1
_REFUSED, _DONE = int(ExecStatus.FATAL_ERROR), int(ExecStatus.COMMAND_OK)
_SYNCED, _BAD = int(ExecStatus.PIPELINE_SYNC), int(ConnStatus.BAD)
_IDLE = int(TransactionStatus.IDLE)
_READ, _BOTH = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE
_COMMIT = "COMMIT"

_FORGOT = ("26", "0A000")
"""What states begin with that say that a prepared statement is gone, or fits the tables no more:
a new connection helps."""

_NOT_FOR_EVER = f"SET LOCAL idle_in_transaction_session_timeout = {round(IDLE_SECONDS * 1000)}"


class _Step(NamedTuple):
    """One statement on its way.

    :param question: whose answer it brings; None: nobody's.
    """

    name: bytes
    text: str
    values: list[bytes | None]
    question: int | None


class _Peer:
    """What stays the same for a connection: the statements that it has prepared, and how its rows are read."""

    def __init__(self, driver: Connection[Any]) -> None:
        self.prepared: set[bytes] = set()
        self.rows = Transformer(driver)
        self.selector = getattr(selectors, "PollSelector", selectors.SelectSelector)()
        self.selector.register(driver.pgconn.socket, _READ)
        self.readable: Callable[[float | None], object] = self.selector.select
        """Waits so long until something can be read; with 0: says whether something can."""
        self.silence = silence.SILENT_SECONDS
        """How long to wait, in what ``readable`` counts by."""
        if hasattr(select, "poll"):  # the same without its dressing
            poll = select.poll()
            poll.register(driver.pgconn.socket, select.POLLIN)
            self.readable, self.silence = poll.poll, silence.SILENT_SECONDS * 1000


class PostgresLine(Line):
    """A line to a server: one exchange for all that is asked at once."""

    def __init__(self, held: PoolProxiedConnection, wrap: Wrap) -> None:
        super().__init__(held, wrap)
        self._pg: PGconn = self._driver.pgconn
        if _Peer not in held.info:
            held.info[_Peer] = _Peer(self._driver)
        self._peer: _Peer = held.info[_Peer]

    def ask(self, *questions: Question) -> list[list[Row]]:
        """In one exchange."""
        answers: list[list[Row]] = [[] for _ in questions]
        try:
            steps = self._steps(questions)
            for step, result in self._exchange(steps):
                if result.status == _REFUSED:
                    raise error_from_result(result)
                if step.question is not None and result.ntuples:
                    self._peer.rows.set_pgresult(result)
                    answers[step.question] = self._peer.rows.load_rows(0, result.ntuples, tuple)
        except Error as error:
            self.broken = self.broken or (error.sqlstate or "").startswith(_FORGOT)
            raise self._wrap(error, self.broken) from error
        return answers

    def commit(self, *questions: Question) -> None:
        """The last statements and the commit in one exchange."""
        try:
            steps = [*self._steps(questions), _plain(_COMMIT)]
            self._look()
        except Error as error:  # nothing was sent
            raise self._wrap(error, self.broken) from error
        try:
            found = self._exchange(steps)
        except Error as error:
            raise CommitLostError from self._wrap(error, self.broken)
        step, last = found[-1]  # the server leaves out what comes after a statement that failed
        if last.status == _REFUSED:
            refused = error_from_result(last)
            wrapped = self._wrap(refused, self.broken)
            if step.text is _COMMIT and (refused.sqlstate or "").startswith(AWAY):
                raise CommitLostError from wrapped
            raise wrapped from refused
        if last.command_status != _COMMIT.encode():
            message = "the transaction had failed before it was to be committed"
            raise self._wrap(InFailedSqlTransaction(message), self.broken)

    def rests(self) -> bool:
        """As ``Line.rests``."""
        return self._pg.transaction_status == _IDLE

    def _steps(self, questions: Sequence[Question]) -> list[_Step]:
        """What is to be sent.

        :raises CharacterNotInRepertoire: for a text that PostgreSQL cannot hold.
        """
        steps = [_plain(self._begin), _plain(_NOT_FOR_EVER)] if self._begin else []
        self._begin = ""
        for number, (what, given) in enumerate(questions):
            if isinstance(what, Statement):
                written = what.written(POSTGRES)
                steps.append(_step(written, _parameters(written.values(given)), number))
            elif len(given) <= FEW:
                written = what.one.written(POSTGRES)
                steps += [_step(written, _parameters(what.cells(row))) for row in given]
            else:
                written = what.many.written(POSTGRES)
                arrays = [_array(column) for column in zip(*map(what.cells, given), strict=True)]
                steps.append(_step(written, _parameters(arrays)))
        return steps

    def _exchange(self, steps: Sequence[_Step]) -> list[tuple[_Step, PGresult]]:
        """Send, and wait for what comes back: each step's result, up to the first that was refused.

        :raises OperationalError: the connection broke, or nothing came over it for ``SILENT_SECONDS``, and the server
            said nothing of what failed.
        """
        if not steps:
            return []
        pg, prepared = self._pg, self._peer.prepared
        awaited: list[tuple[_Step, bool]] = []
        preparing: set[bytes] = set()
        self.broken = True  # until all has come back
        pg.enter_pipeline_mode()
        for step in steps:
            self._told(step.text)
            if step.name not in prepared and step.name not in preparing:
                preparing.add(step.name)
                pg.send_prepare(step.name, step.text.encode())
                awaited.append((step, False))
            pg.send_query_prepared(step.name, step.values, None, _BINARY)
            awaited.append((step, True))
        pg.pipeline_sync()
        found = []
        for (step, is_run), result in zip(awaited, self._received(len(awaited)), strict=False):
            status = result.status
            if not is_run and status == _DONE:
                prepared.add(step.name)
                continue
            found.append((step, result))
            if status == _REFUSED:
                break
        return found

    def _received(self, wanted: int) -> list[PGresult]:
        """The results of everything that was sent; fewer where the server refused something and hung up.

        :raises OperationalError: as above.
        """
        pg, results = self._pg, []
        try:
            while pg.flush():  # more than the socket takes at once: the server may have to be listened to meanwhile
                if self._ready() & _READ:
                    pg.consume_input()
            while True:
                while pg.is_busy():
                    self._hear()
                result = pg.get_result()
                if result is None:  # one statement's results end
                    self._stands()
                elif result.status == _SYNCED:
                    break
                elif result.status == _REFUSED and _state(result) is None:
                    raise OperationalError(result.get_error_message())  # noqa: TRY301 - libpq's own: nobody answered
                else:
                    results.append(result)
        except OperationalError:
            if len(results) < wanted and not any(one.status == _REFUSED for one in results):
                raise
            return results
        pg.exit_pipeline_mode()
        self.broken = False
        return results

    def _hear(self) -> None:
        """Wait until something can be read, and take it in.

        :raises OperationalError: as above.
        """
        while not self._peer.readable(self._peer.silence):
            self._driver.demand_at_work()
        self._pg.consume_input()

    def _ready(self) -> int:
        """Wait until the socket can be read from, or written to.

        :raises OperationalError: as above.
        """
        selector, socket = self._peer.selector, self._pg.socket
        selector.modify(socket, _BOTH)
        try:
            while not (found := selector.select(silence.SILENT_SECONDS)):
                self._driver.demand_at_work()
        finally:
            selector.modify(socket, _READ)
        return int(found[0][1])

    def _look(self) -> None:
        """See whether the server hung up meanwhile.

        :raises OperationalError: it did.
        """
        if self._peer.readable(0):  # it says something unasked: why it goes, and then that it is gone
            self.broken = True
            for _ in range(2):
                self._pg.consume_input()
            self._stands()
            self.broken = False

    def _stands(self) -> None:
        if self._pg.status == _BAD:
            raise OperationalError(self._pg.get_error_message())


def _state(result: PGresult) -> bytes | None:
    return result.error_field(DiagnosticField.SQLSTATE)


def _plain(text: str) -> _Step:
    """A statement without parameters, of which nobody wants an answer."""
    return _Step(text.encode(), text, [], None)


def _step(written: Written, values: list[bytes | None], question: int | None = None) -> _Step:
    return _Step(written.name, written.text, values, question)


def _parameters(values: Sequence[object]) -> list[bytes | None]:
    """Parameters in PostgreSQL's spelling.

    :raises CharacterNotInRepertoire: PostgreSQL cannot hold one, and libpq would cut it off.
    """
    spelled = [
        value.encode() if type(value) is str else None if value is None else str(value).encode() for value in values
    ]
    if b"\0" in b"".join(filter(None, spelled)):
        message = "PostgreSQL text fields cannot contain NUL (0x00) bytes"
        raise CharacterNotInRepertoire(message)
    return spelled


def _array(column: Sequence[object]) -> str:
    """The values of a column as an array, in PostgreSQL's spelling."""
    return f"{{{','.join([_quoted(one) if type(one) is str else _bare(one) for one in column])}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bare(value: object) -> str:
    return _quoted(value) if isinstance(value, str) else "NULL" if value is None else str(value)
