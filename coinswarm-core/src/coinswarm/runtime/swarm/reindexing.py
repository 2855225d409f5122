"""The index of episodes held against what was accepted, and folded anew where it is something else.

For the command that rebuilds; what keeps an index at the log all the time is ``projecting``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from coinswarm.domain.episode import LogPosition, Space
from coinswarm.domain.proposal import episodes_of
from coinswarm.errors import DataError
from coinswarm.memory.quorum.projection import changes
from coinswarm.memory.store.audit import entries_of
from coinswarm.runtime.swarm.projecting import Projector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coinswarm.contracts import MemoryBackend
    from coinswarm.domain.episode import Episode
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.swarm.parts import Place
    from coinswarm.runtime.swarm.telling import Teller


async def reindexed(
    store: Store, place: Place, backend: MemoryBackend, teller: Teller, *, write: bool
) -> dict[str, str]:
    """Hold every space that the log knows against the index, and fold it anew where it differs.

    :param place: where the log is; its bus is not used.
    :param write: False: only compare.
    :returns: space -> what was wrong with it, in words; those that were right are not there.
    :raises CoinswarmError: for whatever stands in the way; an index is then as far as it came.
    """
    wrong: dict[str, str] = {}
    for space, (episodes, at) in (await to_thread.run_sync(_accepted, store)).items():
        why = await _difference(backend, space, episodes, at)
        if why:
            wrong[f"{space.name} ({space.dimension})"] = why
            if write:
                await backend.clear(space)
    if wrong and write:

        def vectors(digests: Iterable[str]) -> Mapping[str, bytes]:
            with store.facts.reader() as facts:
                return facts.vectors(digests)

        await Projector(place, backend, vectors, teller).catch_up()
    return wrong


def _accepted(store: Store) -> dict[Space, tuple[dict[str, Episode], LogPosition]]:
    """What each space holds by the log, and the last entry that changed it. The log was verified before."""
    found: dict[Space, tuple[dict[str, Episode], LogPosition]] = {}
    for entry in entries_of(store.log, store.log.read(0, 0, 0).head.index):
        for change in episodes_of(entry.envelope.proposal.change) if changes(entry) else ():
            space = Space(store.log.cluster, change.space, change.dimension)
            held = found[space][0] if space in found else {}
            held[change.episode.id] = change.episode
            found[space] = held, LogPosition(entry.index, entry.hash)
    return found


async def _difference(backend: MemoryBackend, space: Space, episodes: Mapping[str, Episode], at: LogPosition) -> str:
    """What is wrong with a space of an index; empty where nothing is."""
    info = await backend.info(space)
    if info.applied is None and info.entries == 0:
        return "it is empty"
    if info.applied != at:
        stands = f"entry {info.applied.index}" if info.applied else "no entry"
        return f"it stands at {stands}, not at {at.index}"
    if info.entries != len(episodes):
        return f"it holds {info.entries} episodes of {len(episodes)}"
    other = 0
    for one, episode in episodes.items():
        try:
            other += await backend.get(space, one) != episode
        except DataError:  # it holds something that is no episode
            other += 1
    return f"{other} of its {len(episodes)} episodes are not as accepted" if other else ""
