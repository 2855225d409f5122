"""Episodes of a swarm's log up to a position: what a run begins to recall from, verified and never written to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coinswarm.domain.proposal import episodes_of
from coinswarm.errors import DataError, NotReadyError
from coinswarm.memory.quorum.fold import advance, genesis
from coinswarm.memory.quorum.records import START, Head, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from coinswarm.domain.episode import Episode
    from coinswarm.domain.proposal import AddEpisode
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.store.opening import Store

BATCH = 500
"""Entries, or vectors, that are read at once."""


@dataclass(frozen=True, slots=True)
class Forked:
    """What a log held at a position.

    :param head: that position.
    :param episodes: per space (name and width), episodes with the bytes of their vectors, in the order of the log.
    :param fold: of the log up to there; None where nothing was read.
    """

    head: Head = START
    episodes: tuple[tuple[str, int, Episode, bytes], ...] = ()
    fold: Fold | None = field(default=None, compare=False)


def forked(url: str, cluster: str, shard: str, position: int | None, spaces: Collection[str]) -> Forked:
    """Read a log from its first entry on, verifying each.

    :param url: of the store; :param cluster, shard: empty where it holds one log.
    :param position: index of the last entry that counts; None: as far as it goes now.
    :param spaces: names of those that matter.
    :raises OperatorError: the store cannot be read, its log holds a bad entry, or does not reach the position.
    :raises DataError: a vector is missing, or is not what was accepted.
    """
    from coinswarm.memory.store.opening import opened  # noqa: PLC0415 - SQLAlchemy, for who has a log

    with opened(url, cluster, shard) as store:
        return read_fork(store, position, spaces)


def read_fork(store: Store, position: int | None, spaces: Collection[str]) -> Forked:
    """The same of a store that is open."""
    fold, changes = _accepted(store, position)
    wanted = [change for change in changes if change.space in spaces]
    vectors = _vectors(store, [change.vector_digest for change in wanted])
    episodes = []
    for change in wanted:
        vector = vectors.get(change.vector_digest)
        if vector is None or len(vector) != 4 * change.dimension:
            message = f"the vector of episode {change.episode.id[:12]} is not in {store.place.name}"
            raise DataError(message, remedy="restore the store from a copy")
        episodes.append((change.space, change.dimension, change.episode, vector))
    return Forked(fold.head, tuple(episodes), fold)


def _accepted(store: Store, position: int | None) -> tuple[Fold, list[AddEpisode]]:
    """The episodes that were accepted, and the log as it was verified."""
    fold = genesis(store.log.cluster, store.log.shard, store.first)
    changes: list[AddEpisode] = []
    for after, entry in verified(store, position, "memory.position"):
        fold = after
        if entry.outcome is Outcome.ACCEPT:
            changes += episodes_of(entry.envelope.proposal.change)
    return fold, changes


def verified(store: Store, position: int | None, key: str) -> Iterator[tuple[Fold, Entry]]:
    """The entries of a log up to a position, each verified, with the log's fold after it.

    :param position: index of the last entry; None: as far as it goes now.
    :param key: where a profile names it.
    :raises NotReadyError: the log does not reach it.
    :raises BadEntryError: an entry does not stand up.
    """
    from coinswarm.memory.quorum.keys import Ed25519Scheme  # noqa: PLC0415 - cryptography, for who has a log

    fold, scheme = genesis(store.log.cluster, store.log.shard, store.first), Ed25519Scheme()
    last = store.log.read(0, 0, 0).head.index if position is None else position
    while fold.head.index < last:
        entries = store.log.read(0, fold.head.index, min(BATCH, last - fold.head.index)).entries
        if not entries:
            message = f"the log {store.log.cluster}/{store.log.shard} ends at entry {fold.head.index}, before {last}"
            raise NotReadyError(message, remedy=f"name a position that it has, in {key}")
        for entry in entries:
            fold = advance(fold, entry, scheme)
            yield fold, entry


def _vectors(store: Store, digests: list[str]) -> dict[str, bytes]:
    """Vectors by digest, so many at a time."""
    found: dict[str, bytes] = {}
    with store.facts.reader() as facts:
        for first in range(0, len(digests), BATCH):
            found |= facts.vectors(digests[first : first + BATCH])
    return found
