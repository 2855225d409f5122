"""An index of accepted proposals that follows the log, and can be lost, set back, or swapped for another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.memory.quorum import projection
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.reader import Reader, read
from coinswarm.memory.quorum.records import START, Head
from coinswarm_testkit.quorum.node import CLUSTER, SHARD

if TYPE_CHECKING:
    from coinswarm.memory.quorum.log import Log
    from coinswarm.memory.quorum.records import Entry
    from coinswarm_testkit.quorum.scheme import Cast


class Index:
    """The index and its projector: what is in ``rows`` and where ``applied`` says it is change together.

    :ivar rows: subject -> id of the proposal that last changed it.
    """

    def __init__(self, cast: Cast) -> None:
        self._scheme = cast.scheme
        self._reader = Reader(fold=genesis(CLUSTER, SHARD, cast.roster), seen=START)
        self._entries: list[Entry] = []
        self.applied: Head | None = START
        self.rows: dict[str, str] = {}
        self._saved: tuple[Head | None, dict[str, str]] = (START, {})

    def save(self) -> None:
        """Take a snapshot, as a store does now and then."""
        self._saved = (self.applied, dict(self.rows))

    def lose(self, kind: str) -> None:
        """Suffer: ``flush``, ``stale-index`` (an old snapshot), or ``other-index`` (somebody else's contents)."""
        if kind == "flush":
            self.applied, self.rows = None, {}
        elif kind == "stale-index":
            self.applied, self.rows = self._saved[0], dict(self._saved[1])
        else:
            index = self._reader.fold.head.index
            self.applied, self.rows = Head(index, "e" * 64), {"acceptance/other": "f" * 64}

    def follow(self, log: Log) -> bool:
        """Read the log and apply what is new; whether anything was."""
        answer = log.read(0, self._reader.fold.head.index, 1_000)
        self._reader = read(self._reader, answer, 1, self._scheme)
        if self._reader.halted:
            return False
        self._entries += answer.entries
        if projection.must_rebuild(self.applied, self._reader.fold):
            self.applied, self.rows = projection.EMPTY, {}
        assert self.applied is not None, "rebuilt a line above"
        fresh = projection.applicable(self.applied, self._entries[self.applied.index :])
        for entry in fresh:
            if projection.changes(entry):
                self.rows.update(dict.fromkeys(entry.envelope.proposal.subjects, entry.envelope.id))
            self.applied = entry.head
        return bool(fresh)
