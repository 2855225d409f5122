"""What a process has seen of an index: an answer may be older than what is known by the time it comes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import anyio
import numpy as np
import pytest
from redis.asyncio import Redis

from coinswarm.domain.episode import ANY, Filter, LogPosition, Match, Space
from coinswarm.errors import NotReadyError, UnreachableError
from coinswarm_redis import scripts
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Do = Callable[[], Awaitable[None]]
    Work = Callable[["Overtaken", Redis], Awaitable[None]]

pytestmark = pytest.mark.usefixtures("redis_url")

SPACE, LATE = Space("swarm", "progress.1", 8), 10**18
WHERES = [ANY, Filter(agents=frozenset({"trend"}))]


class Overtaken(RedisMemory):
    """Something is done before a question reaches the server, or after it was answered and before it is heard."""

    before: Do | None = None
    after: Do | None = None

    async def _call(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as it is
        before, after = self.before, self.after
        self.before = self.after = None
        if before:
            await before()
        answer = await super()._call(*given, **named)
        if after:
            await after()
        return answer


def vector(number: int) -> Vectors:
    return np.random.default_rng(number).standard_normal((1, 8)).astype(np.float32)


def position(index: int) -> LogPosition:
    return LogPosition(index, sha256(str(index).encode()).hexdigest())


async def fold(memory: RedisMemory, first: int = 1, last: int = 10) -> None:
    for number in range(first, last + 1):
        await memory.remember(SPACE, [numbered(number)], vector(number), at=position(number))


async def recalled(memory: RedisMemory, where: Filter = ANY) -> Sequence[Match]:
    return await memory.recall(SPACE, vector(3)[0], 5, LATE, where)


@pytest.fixture
def url() -> Iterator[str]:
    """A server of this test's own, that may be flushed."""
    with redis_server("--maxmemory", "100mb") as server:
        yield server.url


def run(url: str, work: Work) -> None:
    async def main() -> None:
        memory, redis = Overtaken(RedisSettings(url=url)), Redis.from_url(url)
        try:
            await work(memory, redis)
        finally:
            await memory.close()
            await redis.aclose()

    anyio.run(main)


@pytest.mark.parametrize("where", WHERES, ids=["all", "filtered"])
@pytest.mark.parametrize("by_another", [False, True], ids=["by us", "by another"])
def test_an_answer_of_before_a_write_is_no_loss(url: str, where: Filter, *, by_another: bool) -> None:
    async def work(memory: Overtaken, redis: Redis) -> None:
        await fold(memory)
        writer = RedisMemory(RedisSettings(url=url)) if by_another else memory

        async def grow() -> None:
            await fold(writer, first=11, last=12)
            if by_another:
                await recalled(memory)

        memory.after = grow
        assert len(await recalled(memory, where)) == 5
        await redis.flushall()
        await fold(writer, last=11)
        with pytest.raises(NotReadyError, match="stands at log entry 11; entry 12 was applied before"):
            await recalled(memory, where)
        if by_another:
            await writer.close()

    run(url, work)


@pytest.mark.parametrize("where", WHERES, ids=["all", "filtered"])
def test_an_answer_of_before_it_was_cleared_does_not_make_the_next_index_suspect(url: str, where: Filter) -> None:
    async def work(memory: Overtaken, _: Redis) -> None:
        await fold(memory)

        async def clear() -> None:
            await memory.clear(SPACE)

        memory.after = clear
        assert len(await recalled(memory, where)) == (5 if where == ANY else 0), (
            "a second question is asked with a filter"
        )
        await fold(memory, last=3)
        assert len(await recalled(memory, where)) == 3
        memory.before = clear
        assert await recalled(memory, where) == []

    run(url, work)


def test_a_write_of_before_it_was_cleared_does_not_either(url: str) -> None:
    async def work(memory: Overtaken, _: Redis) -> None:
        async def clear() -> None:
            await memory.clear(SPACE)

        writes: list[Callable[[], Awaitable[object]]] = [
            lambda: memory.remember(SPACE, [numbered(11)], vector(11), at=position(11)),
            lambda: memory.update(SPACE, numbered(3), at=position(11)),
            lambda: memory.forget(SPACE, numbered(3).id, at=position(11)),
        ]
        for write in writes:
            await fold(memory)
            memory.after = clear
            await write()
            await fold(memory, last=3)
            assert len(await recalled(memory)) == 3
            await clear()

    run(url, work)


def test_what_is_asked_while_it_is_cleared_may_be_answered_after(url: str) -> None:
    async def work(memory: Overtaken, _: Redis) -> None:
        await fold(memory)
        said: list[Sequence[Match]] = []

        async def ask() -> None:
            said.append(await recalled(memory))

        memory.after = ask  # it was cleared, and we have not heard of it
        await memory.clear(SPACE)
        assert said == [[]]

    run(url, work)


def test_where_it_could_not_be_cleared_a_loss_is_noticed_as_before(url: str) -> None:
    class Away(Overtaken):
        async def _script(self, text: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as it is
            if text is scripts.CLEAR:
                message = "away"
                raise UnreachableError(message)
            return await super()._script(text, *given, **named)

    async def work(_: Overtaken, redis: Redis) -> None:
        memory = Away(RedisSettings(url=url))
        await fold(memory)
        with pytest.raises(UnreachableError, match="away"):
            await memory.clear(SPACE)
        assert len(await recalled(memory)) == 5
        await redis.flushall()
        with pytest.raises(NotReadyError, match="is gone; entry 10 was applied before"):
            await recalled(memory)
        await memory.close()

    run(url, work)


@pytest.mark.parametrize("what", ["remember", "update", "forget"])
def test_a_write_that_another_had_applied_is_seen_as_well(url: str, what: str) -> None:
    async def work(first: Overtaken, redis: Redis) -> None:
        second, at = RedisMemory(RedisSettings(url=url)), position(11)
        await fold(first)
        for memory in (first, second):
            if what == "remember":
                await memory.remember(SPACE, [numbered(11)], vector(11), at=at)
            elif what == "update":
                await memory.update(SPACE, numbered(3), at=at)
            else:
                await memory.forget(SPACE, numbered(3).id, at=at)
        await redis.flushall()
        for memory in (first, second):
            with pytest.raises(NotReadyError, match="is gone; entry 11 was applied before"):
                await recalled(memory)
        await second.close()

    run(url, work)
