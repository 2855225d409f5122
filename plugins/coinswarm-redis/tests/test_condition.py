"""How a server is doing: impaired where nothing can be written to it, or it may throw away what was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest
from redis.asyncio import Redis

from coinswarm.domain.episode import ANY, Space
from coinswarm.domain.health import Condition
from coinswarm.errors import NotReadyError
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[RedisMemory, Redis], Awaitable[None]]

pytestmark = pytest.mark.usefixtures("redis_url")

SPACE, LATE = Space("swarm", "condition.1", 8), 10**18


def run(url: str, work: Work) -> None:
    """Do some work with a memory and a plain client."""

    async def main() -> None:
        memory, redis = RedisMemory(RedisSettings(url=url)), Redis.from_url(url)
        try:
            await work(memory, redis)
        finally:
            await memory.close()
            await redis.aclose()

    anyio.run(main)


async def remember(memory: RedisMemory, number: int) -> None:
    await memory.remember(SPACE, [numbered(number)], np.ones((1, 8), np.float32))


def test_a_full_server_is_impaired(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await remember(memory, 1)
        assert (await memory.health()).condition is Condition.GOOD
        await redis.config_set("maxmemory", "1mb")
        health = await memory.health()
        assert health.condition is Condition.IMPAIRED
        assert " is full (" in health.reason
        assert health.reason.endswith(" of 1,048,576 bytes), and takes nothing in: give it more memory (maxmemory)")
        with pytest.raises(NotReadyError, match="is full"):
            await remember(memory, 2)
        assert len(await memory.recall(SPACE, np.ones(8, np.float32), 5, LATE, ANY)) == 1
        await redis.config_set("maxmemory", "0")
        assert (await memory.health()).condition is Condition.GOOD

    run(url, work)


def test_a_server_that_may_evict_is_impaired() -> None:
    async def work(memory: RedisMemory, _: Redis) -> None:
        health = await memory.health()
        assert health.condition is Condition.IMPAIRED
        assert "set maxmemory-policy to noeviction" in health.reason

    with redis_server("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        run(server.url, work)


def test_a_replica_is_impaired(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await remember(memory, 1)
        await redis.execute_command("REPLICAOF", "127.0.0.1", 1)  # type: ignore[no-untyped-call]
        health = await memory.health()
        assert health.condition is Condition.IMPAIRED
        assert health.reason.endswith("is a replica, which recalls and takes nothing in: name the master in url")
        with pytest.raises(NotReadyError, match="is a replica"):
            await remember(memory, 2)
        await redis.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]
        assert (await memory.health()).condition is Condition.GOOD

    run(url, work)


def test_health_asks_the_server_for_what_it_says_of_itself_once(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await memory.health()
        before = (await redis.info("commandstats"))["cmdstat_info"]["calls"]
        await memory.health()
        assert (await redis.info("commandstats"))["cmdstat_info"]["calls"] - before == 2, "ours and this one's"

    run(url, work)
