"""How an index follows the log: it is a fold of the log up to where it says it is, and is rebuilt when it is not.

The index keeps, beside its contents and changed together with them, the head up to which it has applied the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.memory.quorum.records import START, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.records import Entry, Head


def must_rebuild(applied: Head | None, fold: Fold) -> bool:
    """Whether an index cannot go on from where it is: it is lost, ahead of the log, or of another history.

    :param applied: what the index says; None where it says nothing.
    :param fold: the log as its reader verified it.
    """
    return applied is None or fold.hash_at(applied.index) != applied.hash


def applicable(applied: Head, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The verified entries that come next for an index, in order and without a gap; the accepted ones change it.

    :param entries: verified, in order; ones that were applied before may be among them.
    """
    chosen = []
    for entry in entries:
        if entry.index == applied.index + 1:
            assert entry.previous == applied.hash, "an index of another history is rebuilt"
            chosen.append(entry)
            applied = entry.head
    return tuple(chosen)


def changes(entry: Entry) -> bool:
    """Whether an entry changes what an index holds."""
    return entry.outcome is Outcome.ACCEPT


EMPTY = START
"""Where an index begins that is rebuilt."""
