"""Connections that break or die while something is under way: what may have been done is told, and done once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import anyio
import numpy as np
import pytest

from coinswarm.domain.episode import ANY, LogPosition, Space
from coinswarm.errors import AmbiguousError, UnreachableError
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Work = Callable[[RedisMemory, "Between"], Awaitable[None]]

pytestmark = pytest.mark.usefixtures("redis_url")

SPACE, LATE = Space("swarm", "broken.1", 8), 10**18
ONES: Vectors = np.ones((1, 8), np.float32)


class Between:
    """Stands between a client and the server.

    :ivar cuts: so many answers are not handed over, the connection breaks instead; not those to a greeting.
    :ivar newcomers: whether who connects is served, hung up on, or left without a word.
    """

    def __init__(self, port: int) -> None:
        self.cuts = 0
        self.newcomers: Literal["served", "hung up on", "ignored"] = "served"
        self._port, self._age = port, 0
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    def mute(self) -> None:
        """The connections that there are die in silence."""
        self._age += 1

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Where to connect to."""
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        finally:
            listening.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.gather(*self._tasks)
            await asyncio.sleep(0)  # transports close at the next step

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        if self.newcomers == "hung up on":
            writer.transport.abort()
        if self.newcomers != "served":
            return
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(server_writer)
        for source, target, answers in ((reader, server_writer, False), (server_reader, writer, True)):
            work = self._hand_over(source, target, self._age, answers=answers)
            self._tasks.append(asyncio.create_task(work))

    async def _hand_over(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, age: int, *, answers: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                if answers and self.cuts and not data.startswith(b"+"):
                    self.cuts -= 1
                    break
                if age == self._age:
                    target.write(data)
                    await target.drain()
        target.transport.abort()


def position(index: int) -> LogPosition:
    return LogPosition(index, sha256(str(index).encode()).hexdigest())


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server of this test's own."""
    with redis_server("--maxmemory", "100mb") as server:
        yield int(server.url.rpartition(":")[2])


def run(port: int, work: Work, **given: float) -> None:
    async def main() -> None:
        between = Between(port)
        async with between.open() as url:
            memory = RedisMemory(RedisSettings(url=url, **given))
            for number in range(1, 5):
                await memory.remember(SPACE, [numbered(number)], ONES, at=position(number))
            await memory.update(SPACE, numbered(1))  # the server knows the scripts by now
            await memory.forget(SPACE, numbered(99).id)
            try:
                await work(memory, between)
            finally:
                await memory.close()

    anyio.run(main)


def test_a_forgetting_whose_answer_was_lost_says_that_it_was_there(port: int) -> None:
    async def work(memory: RedisMemory, between: Between) -> None:
        between.cuts = 2
        assert await memory.forget(SPACE, numbered(1).id, at=position(5))
        assert between.cuts == 0
        assert not await memory.forget(SPACE, numbered(1).id, at=position(6))
        assert not await memory.forget(SPACE, numbered(9).id, at=position(6))
        assert await memory.forget(SPACE, numbered(2).id, at=position(7))
        assert (await memory.info(SPACE)).entries == 2

    run(port, work)


def test_without_a_position_it_is_not_repeated(port: int) -> None:
    async def work(memory: RedisMemory, between: Between) -> None:
        between.cuts = 1
        with pytest.raises(AmbiguousError, match="did not confirm a write"):
            await memory.forget(SPACE, numbered(1).id)
        assert not await memory.forget(SPACE, numbered(1).id)
        assert await memory.forget(SPACE, numbered(2).id)
        assert (await memory.info(SPACE)).entries == 2

    run(port, work)


def test_a_write_whose_answer_was_lost_is_repeated_and_done_once(port: int) -> None:
    async def work(memory: RedisMemory, between: Between) -> None:
        between.cuts = 3
        await memory.remember(SPACE, [numbered(5)], ONES, at=position(5))
        assert between.cuts == 0
        info = await memory.info(SPACE)
        assert (info.entries, info.applied) == (5, position(5))
        between.cuts = 1
        assert await memory.update(SPACE, numbered(5), at=position(6))
        await memory.clear(SPACE)
        assert (await memory.info(SPACE)).entries == 0

    run(port, work)


def test_what_was_sent_before_nobody_was_let_in_may_have_been_done(port: int) -> None:
    async def work(memory: RedisMemory, between: Between) -> None:
        between.cuts, between.newcomers = 1, "hung up on"
        with pytest.raises(AmbiguousError, match=r"did not confirm a write .* Then: "):
            await memory.remember(SPACE, [numbered(5)], ONES, at=position(5))
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await memory.remember(SPACE, [numbered(6)], ONES, at=position(6))
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await memory.recall(SPACE, ONES[0], 5, LATE, ANY)
        between.newcomers = "served"
        assert (await memory.info(SPACE)).applied == position(5)

    run(port, work, retries=1)


def test_a_write_that_was_never_sent_was_not_done(port: int) -> None:
    async def work(memory: RedisMemory, between: Between) -> None:
        other = RedisMemory(RedisSettings(url=memory._settings.url, connect_seconds=0.1))
        between.newcomers = "ignored"
        with pytest.raises(UnreachableError, match=r"cannot be reached .Not connected within 0.1 s"):
            await other.remember(SPACE, [numbered(5)], ONES, at=position(5))
        await other.close()

    run(port, work)


def test_connections_that_died_in_silence_cost_one_timeout_together(port: int) -> None:
    async def work(memory: RedisMemory, between: Between) -> None:
        await asyncio.gather(*[memory.recall(SPACE, ONES[0], 1, LATE, ANY) for _ in range(8)])
        assert memory._client is not None
        assert len(memory._client._resting) > 4
        between.mute()
        with pytest.raises(UnreachableError, match=r"No answer within 0.2 s"):
            await memory.recall(SPACE, ONES[0], 1, LATE, ANY)
        assert len(await memory.recall(SPACE, ONES[0], 1, LATE, ANY)) == 1

    run(port, work, answer_seconds=0.2)
