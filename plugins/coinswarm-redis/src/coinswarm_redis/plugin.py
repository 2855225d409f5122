"""What this distribution brings: one memory backend. Imports nothing heavy; the client is loaded when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.declarations import MemoryType
from coinswarm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def coinswarm_memory_backends() -> Iterable[MemoryType]:
    """Memory in Redis."""
    yield MemoryType(
        name="redis",
        summary="Episodes in the vector sets of Redis 8, shared by all processes of a swarm.",
        target="coinswarm_redis.backend:RedisMemory",
        settings="coinswarm_redis.settings:RedisSettings",
        trial={"url": "{env:COINSWARM_REDIS_URL}", "prefix": "{fresh}", "username": ""},
    )
