"""A log in memory, with the atomicity of a database: for tests, the simulator, and forks that no one else reads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from coinswarm.memory.quorum.log import Log, Transaction
from coinswarm.memory.quorum.reader import LogRead
from coinswarm.memory.quorum.records import NO_LEASE, START, Head, Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from coinswarm.memory.quorum.records import Ballot, Entry, Envelope, Outcome
    from coinswarm.memory.quorum.roster import Roster


class Rows:
    """The tables.

    :ivar decisions: proposal id -> outcome and index.
    :ivar state: subject -> version and the envelope that made it.
    :ivar spent: nonces of accepted proposals.
    """

    def __init__(self, roster: Roster) -> None:
        self.lease: Lease = NO_LEASE
        self.head: Head = START
        self.head_ns = 0
        self.rosters: list[Roster] = [roster]
        self.decisions: dict[str, tuple[Outcome, int]] = {}
        self.state: dict[str, tuple[int, Envelope]] = {}
        self.spent: set[str] = set()
        self.ballots: list[Ballot] = []
        self.entries: list[Entry] = []

    def copy(self) -> Rows:
        """A backup: these rows as they are now."""
        made = Rows.__new__(Rows)
        for name, value in vars(self).items():
            setattr(made, name, value.copy() if isinstance(value, (dict, set, list)) else value)
        return made


class MemoryLog(Log):
    """One shard's log in this process; transactions one at a time.

    :param cluster, shard: whose log it is.
    :param roster: of version 0.
    :param clock: the database's clock, nanoseconds.
    :param fault: called with a name before every step of a transaction, before and after its commit; what it raises
        leaves the transaction there: undone, or, after the commit, done without an answer.
    """

    def __init__(
        self,
        cluster: str,
        shard: str,
        roster: Roster,
        clock: Callable[[], int],
        fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.cluster, self.shard = cluster, shard
        self.rows = Rows(roster)
        self.clock = clock
        self.fault = fault

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """As ``Log.transaction``: undone unless it comes to its end."""
        held = _MemoryTransaction(self)
        try:
            yield held
            self.fault("commit")
        except BaseException:
            held.undo()
            raise
        self.fault("committed")

    def read(self, token: int, after: int, limit: int) -> LogRead:
        """As ``Log.read``."""
        rows = self.rows
        return LogRead(token, after, rows.entries[after : after + limit], rows.head, max(self.clock(), rows.head_ns))


class _MemoryTransaction(Transaction):
    """Writes at once, and remembers how to take each write back."""

    def __init__(self, log: MemoryLog) -> None:
        self._rows = log.rows
        self._clock = log.clock
        self._fault = log.fault
        self._undo: list[Callable[[], object]] = []

    def undo(self) -> None:
        """Take everything back, last first."""
        for back in reversed(self._undo):
            back()

    def now_ns(self) -> int:
        return self._clock()

    def lock_lease(self, *, write: bool) -> Lease:  # noqa: ARG002 - one transaction at a time: locked either way
        self._fault("lease")
        return self._rows.lease

    def set_lease(self, lease: Lease) -> None:
        self._fault("set-lease")
        self._set("lease", lease)

    def lock_head(self) -> tuple[Head, int]:
        self._fault("head")
        return self._rows.head, self._rows.head_ns

    def lock_version(self, subject: str) -> int:
        self._fault("version")
        found = self._rows.state.get(subject)
        return found[0] if found else 0

    def roster(self, version: int | None) -> Roster | None:
        rosters = self._rows.rosters
        if version is None:
            return rosters[-1]
        return rosters[version] if 0 <= version < len(rosters) else None

    def hash_at(self, index: int) -> str | None:
        entries = self._rows.entries
        if index == 0:
            return START.hash
        return entries[index - 1].hash if 0 < index <= len(entries) else None

    def is_spent(self, use: str) -> bool:
        return use in self._rows.spent

    def decision(self, proposal: str) -> Outcome | None:
        found = self._rows.decisions.get(proposal)
        return found[0] if found else None

    def insert_decision(self, proposal: str, outcome: Outcome, index: int) -> bool:
        self._fault("decision")
        rows = self._rows
        if proposal in rows.decisions:
            return False
        rows.decisions[proposal] = (outcome, index)
        self._undo.append(lambda: rows.decisions.pop(proposal))
        return True

    def change_state(self, envelope: Envelope, version: int, roster: Roster | None) -> None:
        self._fault("state")
        rows, use = self._rows, envelope.use
        subjects = envelope.proposal.subjects
        before = {subject: rows.state[subject] for subject in subjects if subject in rows.state}
        rows.state.update(dict.fromkeys(subjects, (version, envelope)))
        self._undo.append(lambda: rows.state.update(before))
        self._undo.append(lambda: [rows.state.pop(subject) for subject in subjects])
        rows.spent.add(use)
        self._undo.append(lambda: rows.spent.discard(use))
        if roster is not None:
            rows.rosters.append(roster)
            self._undo.append(rows.rosters.pop)

    def insert_ballots(self, ballots: Sequence[Ballot]) -> None:
        self._fault("ballots")
        rows, before = self._rows, len(self._rows.ballots)
        rows.ballots.extend(ballots)
        self._undo.append(lambda: rows.ballots.__delitem__(slice(before, None)))

    def append(self, entry: Entry) -> None:
        self._fault("entry")
        self._rows.entries.append(entry)
        self._undo.append(self._rows.entries.pop)

    def move_head(self, head: Head, at_ns: int) -> None:
        self._fault("move-head")
        self._set("head", head)
        self._set("head_ns", at_ns)

    def _set(self, name: str, value: object) -> None:
        rows, before = self._rows, getattr(self._rows, name)
        setattr(rows, name, value)
        self._undo.append(lambda: setattr(rows, name, before))
