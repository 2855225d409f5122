"""Reading a log, with a memory of how far it once was: a log that is now shorter, or other, is not followed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.quorum.fold import BadEntryError, Fold, advance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.records import Entry, Head


class Halt(StrEnum):
    """Why somebody stopped for good: a person must look before anything else is signed or written."""

    SPLIT_BRAIN = "split-brain"
    """The log is not the one that was seen before: a restored backup, a lagging replica, a rewritten past."""
    BAD_ENTRY = "bad-entry"
    """The log holds an entry that does not stand up to verification."""


@dataclass(frozen=True, slots=True)
class LogRead:
    """An answer of the log: entries after a position, in order, and how far the log goes.

    :param token: of the question.
    :param now_ns: the log's clock when it answered.
    """

    token: int
    after: int
    entries: Sequence[Entry]
    head: Head
    now_ns: int


class Reader(NamedTuple):
    """Where a reader stands.

    :param fold: of all entries verified so far.
    :param seen: highest head verified in this life or an earlier one.
    :param log_ns, local_ns: the log's clock at the last answer, and the reader's own monotonic one then.
    :param halted: why it stopped, or None.
    :param why: the same in words.
    """

    fold: Fold
    seen: Head
    log_ns: int = 0
    local_ns: int = 0
    halted: Halt | None = None
    why: str = ""

    @property
    def ready(self) -> bool:
        """Whether it has caught up with what it once saw: before that, it says nothing."""
        return self.halted is None and self.fold.head.index >= self.seen.index and self.log_ns > 0

    def now_ns(self, local_ns: int) -> int:
        """The log's clock as far as it can be known. Nobody's wall clock decides anything."""
        return self.log_ns + max(0, local_ns - self.local_ns)


def read(reader: Reader, answer: LogRead, local_ns: int, scheme: Scheme) -> Reader:  # noqa: PLR0911 - one per way to stop
    """The reader after an answer of the log.

    Answers must be taken in the order in which the log gave them: one question at a time.

    :param local_ns: the reader's monotonic clock.
    """
    fold = reader.fold
    if reader.halted is not None or answer.after != fold.head.index:
        return reader
    seen = reader.seen
    if answer.head.index < seen.index:
        why = f"the log ends at entry {answer.head.index}, but was seen at {seen.index}"
        return reader._replace(halted=Halt.SPLIT_BRAIN, why=why)
    for entry in answer.entries:
        if fold is reader.fold and entry.previous != fold.head.hash:
            return reader._replace(halted=Halt.SPLIT_BRAIN, why=f"entry {fold.head.index} is not the one seen before")
        try:
            fold = advance(fold, entry, scheme)
        except BadEntryError as error:
            return reader._replace(fold=fold, halted=Halt.BAD_ENTRY, why=error.message)
        if entry.index == seen.index and entry.hash != seen.hash:
            return reader._replace(halted=Halt.SPLIT_BRAIN, why=f"entry {seen.index} is not the one seen before")
    if not answer.entries and answer.head.index > fold.head.index:
        # The log reads its head first, and what lies before that is there.
        why = f"the log says that it goes on to entry {answer.head.index}, and has none after {fold.head.index}"
        return reader._replace(halted=Halt.BAD_ENTRY, why=why)
    if answer.head.index == fold.head.index and answer.head.hash != fold.head.hash:
        return reader._replace(halted=Halt.SPLIT_BRAIN, why=f"entry {fold.head.index} is not the one seen before")
    if fold.head.index > seen.index:
        seen = fold.head
    return reader._replace(fold=fold, seen=seen, log_ns=answer.now_ns, local_ns=local_ns)
