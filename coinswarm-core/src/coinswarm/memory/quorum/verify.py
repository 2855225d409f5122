"""The whole log held against itself and against seals: is it whole, and if not, where does it begin to be wrong?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinswarm.memory.quorum.fold import BadEntryError, advance
from coinswarm.memory.quorum.proof import seals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.records import Entry, Head, Seal


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found.

    :param fold: of the entries that are good.
    :param bad: index of the first that is not, or 0.
    :param why: in words; empty where all is well.
    """

    fold: Fold
    bad: int = 0
    why: str = ""


def verify(start: Fold, entries: Iterable[Entry], head: Head, scheme: Scheme, kept: Iterable[Seal] = ()) -> Report:
    """Verify a log from its first entry, its head, and the seals that were copied elsewhere.

    :param start: ``genesis`` of the cluster.
    :param head: as the log states it.
    :param kept: seals, from where the log's owner cannot reach. Without any, a log cut short is not noticed here.
    """
    fold = start
    for entry in entries:
        try:
            fold = advance(fold, entry, scheme)
        except BadEntryError as error:
            return Report(fold, fold.head.index + 1, error.message)
    if head != fold.head:
        return Report(fold, fold.head.index, f"the log's head says {head.index}, its entries end at {fold.head.index}")
    for seal in sorted(kept, key=lambda one: one.head.index):
        why = _broken(fold, seal, scheme)
        if why:
            return Report(fold, min(seal.head.index, fold.head.index + 1), why)
    return Report(fold)


def _broken(fold: Fold, seal: Seal, scheme: Scheme) -> str:
    """Why a log is not the one that was sealed; empty where it is, or where the seal is none."""
    version = seal.votes[0].roster if seal.votes else 0
    known = version < len(fold.rosters)
    if not known:
        return f"a seal by roster {version} exists, and the log knows none"
    if not seals(seal.votes, fold.cluster, fold.shard, fold.rosters[version], scheme):
        return ""  # nobody vouches for it
    if fold.hash_at(seal.head.index) is None:
        return f"the log ends at entry {fold.head.index}, but was sealed at {seal.head.index}"
    if fold.hash_at(seal.head.index) != seal.head.hash:
        return f"entry {seal.head.index} of the log is not the one that was sealed"
    return ""
