"""How the memory backend of a profile stands beside its log: what each space holds, and how far it was folded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from coinswarm.domain.episode import swarm_of
from coinswarm.domain.health import Condition
from coinswarm.errors import ProfileError, UnreachableError
from coinswarm.runtime.making import make_backend

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.config.swarm import SwarmProfile
    from coinswarm.domain.episode import MemoryInfo, Space
    from coinswarm.domain.health import Health
    from coinswarm.memory.store.opening import Store


@dataclass(frozen=True, slots=True)
class IndexState:
    """An index.

    :param backend: as the profile names it.
    :param head: how many entries the log has.
    """

    backend: str
    health: Health
    spaces: tuple[tuple[Space, MemoryInfo], ...]
    head: int

    def rows(self) -> list[dict[str, object]]:
        """A row for each space."""
        return [
            {
                "space": space.name,
                "dimension": space.dimension,
                "entries": info.entries,
                "bytes": info.size_bytes,
                "exact": info.exact,
                "applied": info.applied and info.applied.index,
            }
            for space, info in self.spaces
        ]

    def facts(self) -> dict[str, Any]:
        """For machines."""
        told = {"backend": self.backend, "condition": self.health.condition.value, "reason": self.health.reason or None}
        return {**told, "log_entries": self.head, "spaces": self.rows()}


async def index_of(
    profile: SwarmProfile, store: Store, *, label: str, optimize: bool, say: Callable[[str], None]
) -> IndexState:
    """Ask the profile's memory backend about every space that the store knows.

    :param label: what messages call the profile.
    :param optimize: have it tidy each space up before.
    :param say: is told which space is tidied up.
    :raises UnreachableError: when the backend cannot be used now.
    :raises CoinswarmError: for whatever else stands in the way.
    """
    named = profile.memory
    if named is None:
        message = f"{label} has no [memory]"
        raise ProfileError(message, remedy='name a backend, as backend = "redis" of coinswarm-redis')
    backend = make_backend(profile.plugins, named.backend, named.settings, key="memory.settings", label=label)
    try:
        health = await backend.health()
        if health.condition is Condition.DOWN:
            message = f"the memory backend {named.backend} cannot be used ({health.reason})"
            raise UnreachableError(message, remedy="start it, or name another in [memory]")
        spaces = await to_thread.run_sync(_spaces, store)
        if optimize:
            for space in spaces:
                say(f"tidying up {space.name} ({space.dimension})")
                await backend.optimize(space)
            health = await backend.health()  # what it could not write it says there
        infos = [(space, await backend.info(space)) for space in spaces]
        head = await to_thread.run_sync(lambda: store.log.read(0, 0, 0).head.index)
        return IndexState(named.backend, health, tuple(infos), head)
    finally:
        with anyio.move_on_after(1, shield=True):
            await backend.close()


def _spaces(store: Store) -> tuple[Space, ...]:
    swarm = swarm_of(store.log.cluster, store.log.shard)
    with store.facts.reader() as facts:
        return tuple(replace(space, swarm=swarm) for space in facts.spaces())
