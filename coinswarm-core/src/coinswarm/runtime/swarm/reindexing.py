"""The index of episodes held against what was accepted, and folded anew where it is something else.

For the command that rebuilds; what keeps an index at the log all the time is ``projecting``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from coinswarm.domain.episode import Filter, LogPosition, Space, swarm_of
from coinswarm.domain.proposal import episodes_of
from coinswarm.errors import DataError, NotReadyError, one_line
from coinswarm.memory.quorum.projection import changes
from coinswarm.memory.store.audit import entries_of
from coinswarm.runtime.swarm.projecting import Projector, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import Episode, Match
    from coinswarm.domain.proposal import AddEpisode
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.swarm.parts import Place
    from coinswarm.runtime.swarm.projecting import Vectors
    from coinswarm.runtime.swarm.telling import Teller

    Accepted = Mapping[str, AddEpisode]
    """By the episode's id."""

AT_ONCE = 512
"""So many vectors are read from the store together."""

TRUE_TO = 0.001
"""Distances are promised to within this (docs/memory.md), so that a vector is no farther from itself."""

NEAREST = 10
"""How many an episode is looked for among: most agents ask for more."""

ENOUGH = 100
"""So many that are wrong are told as that many or more: an index of nothing else would be looked through for hours."""

MISSED, MISSED_SHARE = 10, 0.1
"""So many, and that share of all, an index that looks at some candidates only may miss: it is not wrong."""


async def reindexed(
    store: Store, place: Place, backend: MemoryBackend, teller: Teller, *, write: bool
) -> dict[str, str]:
    """Hold every space that the log knows against the index, and fold it anew where it differs.

    :param place: where the log is; its bus is not used.
    :param write: False: only compare.
    :returns: space -> what was wrong with it, in words; those that were right are not there.
    :raises DataError: the store lacks an accepted vector; the index is left alone then.
    :raises CoinswarmError: for whatever stands in the way; an index is then as far as it came.
    """

    def vectors(digests: Iterable[str]) -> Mapping[str, bytes]:
        with store.facts.reader() as facts:
            return facts.vectors(digests)

    wrong: dict[Space, str] = {}
    for space, (accepted, at) in (await to_thread.run_sync(_accepted, store)).items():
        why = await _difference(backend, space, accepted, at, vectors)
        if why:
            wrong[space] = why
    if wrong and write:
        for space in wrong:
            await backend.clear(space)
        await Projector(place, backend, vectors, teller).catch_up()
    return {f"{space.name} ({space.dimension})": why for space, why in wrong.items()}


def _accepted(store: Store) -> dict[Space, tuple[dict[str, AddEpisode], LogPosition]]:
    """What each space holds by the log, and the last entry that changed it. The log was verified before."""
    found: dict[Space, tuple[dict[str, AddEpisode], LogPosition]] = {}
    swarm = swarm_of(store.log.cluster, store.log.shard)
    for entry in entries_of(store.log, store.log.read(0, 0, 0).head.index):
        for change in episodes_of(entry.envelope.proposal.change) if changes(entry) else ():
            space = Space(swarm, change.space, change.dimension)
            held = found[space][0] if space in found else {}
            held[change.episode.id] = change
            found[space] = held, LogPosition(entry.index, entry.hash)
    return found


async def _difference(
    backend: MemoryBackend, space: Space, accepted: Accepted, at: LogPosition, vectors: Vectors
) -> str:
    """What is wrong with a space of an index; empty where nothing is."""
    try:
        info = await backend.info(space)
    except DataError as error:
        return f"it cannot be read: {error.message}"
    if info.applied is None and info.entries == 0:
        return "it is empty"
    if info.applied != at:
        stands = f"entry {info.applied.index}" if info.applied else "no entry"
        return f"it stands at {stands}, not at {at.index}"
    if info.entries != len(accepted):
        return f"it holds {info.entries} episodes of {len(accepted)}"
    other = 0
    for one, change in accepted.items():
        try:
            other += await backend.get(space, one) != change.episode
        except DataError:  # it holds something that is no episode
            other += 1
    if other:
        return f"{other} of its {len(accepted)} episodes are not as accepted"
    return await _misplaced(backend, space, accepted, vectors, exact=info.exact)


async def _misplaced(backend: MemoryBackend, space: Space, accepted: Accepted, vectors: Vectors, *, exact: bool) -> str:
    """What is wrong with the vectors of a space; empty where nothing is.

    What is not at its vector is wrong, in an approximate index too. What was only missed is wrong in an exact one, and
    in others if it is many.
    """
    wanted, looked = list(accepted.values()), Counter[Looked]()
    moments = Counter(_moment(change.episode) for change in wanted)
    for first in range(0, len(wanted), AT_ONCE):
        part = wanted[first : first + AT_ONCE]
        rows = await rows_of(vectors, space, part)
        try:
            for change, vector in zip(part, rows, strict=True):
                episode = change.episode
                looked[await _looked_for(backend, space, episode, vector, moments[_moment(episode)])] += 1
                if looked[Looked.LOST] >= ENOUGH:
                    return f"{ENOUGH} or more of its {len(wanted)} episodes are not at their vectors"
        except (DataError, NotReadyError, ValueError) as error:  # it says so itself, or answers with what is no match
            return f"it cannot be recalled from ({one_line(error)})"
    if looked[Looked.LOST]:
        return f"{looked[Looked.LOST]} of its {len(wanted)} episodes are not at their vectors"
    missed = looked[Looked.MISSED]
    if missed > (0 if exact else MISSED + MISSED_SHARE * len(wanted)):
        return f"recall misses {missed} of its {len(wanted)} episodes"
    return ""


class Looked(Enum):
    """What became of an episode that was looked for by its own vector."""

    FOUND, MISSED, LOST = range(3)


async def _looked_for(backend: MemoryBackend, space: Space, episode: Episode, vector: Any, together: int) -> Looked:  # noqa: ANN401 - a row
    """Look for an episode as its agent would have done when its outcome was known.

    If it is not among the nearest, it was missed, or so many others are as near that it need not be among them. Then
    all of its agent, side and moment are asked for: a filter costs no matches, so that it must be among these.

    :param together: how many were accepted of that agent, side and moment.
    """
    agent, side, decided_ns = _moment(episode)
    whose = Filter(agents=frozenset({agent}), sides=frozenset({side}))
    near = await backend.recall(space, vector, NEAREST, episode.known_ns, whose)
    if _is_among(near, episode):
        return Looked.FOUND
    those = replace(whose, decided_from_ns=decided_ns, decided_before_ns=decided_ns + 1)
    if not _is_among(await backend.recall(space, vector, together, episode.known_ns, those), episode):
        return Looked.LOST
    tied = len(near) >= NEAREST and all(match.distance <= TRUE_TO for match in near)
    return Looked.FOUND if tied else Looked.MISSED


def _moment(episode: Episode) -> tuple[str, int, int]:
    return episode.agent, episode.side, episode.decided_ns


def _is_among(matches: Sequence[Match], episode: Episode) -> bool:
    """Whether an episode was found where its vector is."""
    return any(match.episode_id == episode.id and match.distance <= TRUE_TO for match in matches)
