"""The backend redis on a real server: what the contract suite does not ask: loss, other histories, trouble."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import anyio
import numpy as np
import pytest
from anyio.abc import SocketAttribute
from pydantic import SecretStr
from redis.asyncio import Redis

from coinswarm.domain.episode import ANY, Episode, Filter, LogPosition, Match, Space
from coinswarm.domain.health import Condition
from coinswarm.errors import (
    AmbiguousError,
    CoinswarmError,
    DataError,
    NotReadyError,
    ProfileError,
    UnreachableError,
)
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.fields import keys
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.cases.episodes import numbered
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from anyio.abc import SocketStream

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Work = Callable[[RedisMemory, Redis], Awaitable[None]]

pytestmark = pytest.mark.usefixtures("redis_url")

SPACE = Space("swarm", "state.1", 8)
LATE = 10**18


def told(count: int, first: int = 0) -> list[Episode]:
    return [numbered(number) for number in range(first, first + count)]


def vectors(count: int, seed: int = 0) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)


def position(index: int, history: str = "") -> LogPosition:
    return LogPosition(index, sha256(f"{history}{index}".encode()).hexdigest())


@pytest.fixture
def url() -> Iterator[str]:
    """A server of this test's own, that may be flushed."""
    with redis_server("--maxmemory", "200mb") as server:
        yield server.url


def run(url: str, work: Work, **given: float) -> None:
    """Do some work with a memory and a plain client."""

    async def main() -> None:
        memory, redis = RedisMemory(RedisSettings(url=url, **given)), Redis.from_url(url)
        try:
            await work(memory, redis)
        finally:
            await memory.close()
            await redis.aclose()

    return anyio.run(main)


async def fold(memory: RedisMemory, first: int = 1, last: int = 10) -> None:
    for index in range(first, last + 1):
        await memory.remember(SPACE, told(1, first=index), vectors(1, seed=index), at=position(index))


async def recalled(memory: RedisMemory, where: Filter = ANY) -> Sequence[Match]:
    return await memory.recall(SPACE, vectors(1, seed=3)[0], 5, LATE, where)


WHERES = [ANY, Filter(agents=frozenset({"trend"}))]


@pytest.mark.parametrize("where", WHERES, ids=["all", "filtered"])
def test_a_flushed_index_is_refused_until_it_is_folded_again(url: str, where: Filter) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        before = await recalled(memory, where)
        assert before[0].episode_id == told(1, first=3)[0].id
        await redis.flushall()
        with pytest.raises(NotReadyError, match=r"is gone; entry 10 was applied before.*fold the log again"):
            await recalled(memory, where)
        info = await memory.info(SPACE)
        assert (info.entries, info.applied) == (0, None)
        await fold(memory, last=4)
        with pytest.raises(NotReadyError, match="stands at log entry 4; entry 10 was applied before"):
            await recalled(memory, where)
        await fold(memory, first=5)
        assert await recalled(memory, where) == before

    run(url, work)


@pytest.mark.parametrize("where", WHERES, ids=["all", "filtered"])
def test_an_index_with_holes_is_refused(url: str, where: Filter) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        (key,) = [key async for key in redis.scan_iter("*:v")]
        await redis.execute_command("VREM", key, told(1, first=4)[0].id)  # type: ignore[no-untyped-call]
        with pytest.raises(NotReadyError, match=r"holds 9 of 10 entries: keys were evicted or deleted"):
            await recalled(memory, where)
        await redis.delete(key)
        with pytest.raises(NotReadyError, match=r"holds 0 of 10 entries"):
            await recalled(memory, where)
        await memory.clear(SPACE)
        assert await redis.keys() == []
        await fold(memory)
        assert len(await recalled(memory, where)) == 5

    run(url, work)


def test_who_clears_elsewhere_is_noticed_as_a_loss_and_who_clears_here_is_not(url: str) -> None:
    async def work(memory: RedisMemory, _: Redis) -> None:
        await fold(memory)
        other = RedisMemory(RedisSettings(url=url))
        assert len(await recalled(other)) == 5
        await other.clear(SPACE)
        assert await recalled(other) == []
        with pytest.raises(NotReadyError, match="is gone"):
            await recalled(memory)
        await other.close()

    run(url, work)


def test_another_history_is_refused_and_changes_nothing(url: str) -> None:
    async def work(memory: RedisMemory, _: Redis) -> None:
        await fold(memory)
        for write in (
            partial(memory.remember, SPACE, told(1, first=99), vectors(1)),
            partial(memory.update, SPACE, told(1, first=3)[0]),
            partial(memory.forget, SPACE, told(1, first=3)[0].id),
        ):
            with pytest.raises(DataError, match=r"folded from another log: the entry is .* fold the log anew"):
                await write(at=position(10, history="other"))
        assert (await memory.info(SPACE)).applied == position(10)
        assert await memory.get(SPACE, told(1, first=3)[0].id) == told(1, first=3)[0]
        assert (await memory.info(SPACE)).entries == 10

    run(url, work)


def test_positions_beyond_what_a_double_holds_are_told_apart(url: str) -> None:
    async def work(memory: RedisMemory, _: Redis) -> None:
        await memory.remember(SPACE, told(1), vectors(1), at=position(2**60))
        await memory.remember(SPACE, told(1, first=1), vectors(1), at=position(2**60 + 1))
        await memory.forget(SPACE, told(1)[0].id, at=position(2**60))
        assert (await memory.info(SPACE)).applied == position(2**60 + 1)
        assert (await memory.info(SPACE)).entries == 2

    run(url, work)


@pytest.mark.parametrize("quantization", ["none", "q8"])
@pytest.mark.parametrize(
    "settings", [("--appendonly", "yes", "--appendfsync", "always"), ("--save", "900 1")], ids=["log", "snapshot"]
)
def test_a_restarted_server_goes_on_where_it_stopped(
    tmp_path: Path, settings: tuple[str, ...], quantization: Literal["none", "q8"]
) -> None:
    async def work() -> None:
        with redis_server(*settings, folder=tmp_path) as server:
            memory = RedisMemory(RedisSettings(url=server.url, quantization=quantization))
            await fold(memory)
            before, info = await recalled(memory), await memory.info(SPACE)
        with pytest.raises(UnreachableError, match=r"Redis at redis://127.0.0.1:\d+ cannot be reached"):
            await recalled(memory)
        assert (await memory.health()).condition is Condition.DOWN
        with redis_server(*settings, folder=tmp_path, port=int(server.url.rpartition(":")[2])):
            assert await recalled(memory) == before
            after = await memory.info(SPACE)
            assert (after.entries, after.applied) == (info.entries, info.applied)
            assert (await memory.health()).condition is Condition.GOOD
            await memory.close()

    anyio.run(work)


def test_a_connection_that_broke_is_made_again(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        before = await recalled(memory)
        await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
        assert await recalled(memory) == before
        await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
        await redis.execute_command("SCRIPT", "FLUSH")  # type: ignore[no-untyped-call]
        await fold(memory, first=11, last=11)
        assert (await memory.info(SPACE)).entries == 11

    run(url, work)


def test_a_write_without_an_answer_may_have_been_done(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        await redis.execute_command("CLIENT", "PAUSE", 60_000, "ALL")  # type: ignore[no-untyped-call]
        with pytest.raises(AmbiguousError, match="did not confirm a write"):
            await fold(memory, first=11, last=11)
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await recalled(memory)

    run(url, work, answer_seconds=0.1, connect_seconds=0.1)


def test_more_calls_than_connections_wait_their_turn(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        found: list[Sequence[Match]] = []

        async def one() -> None:
            found.append(await recalled(memory))

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(one)
        assert len(found) == 50
        assert all(matches == found[0] for matches in found)
        assert len(await redis.client_list()) <= 3

    run(url, work, connections=2)


def test_who_waits_too_long_for_a_connection_is_told(url: str) -> None:
    async def work(memory: RedisMemory, _: Redis) -> None:
        await fold(memory)
        before = await recalled(memory)
        assert memory._client is not None
        async with memory._client._places:
            with pytest.raises(UnreachableError, match=r"cannot be reached .No connection was free"):
                await recalled(memory)
        assert await recalled(memory) == before

    run(url, work, answer_seconds=0.1, connections=1)


def test_the_password_is_needed_sent_and_never_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def work(url: str) -> None:
        good = RedisMemory(RedisSettings(url=url, password=SecretStr("open-sesame")))
        await fold(good, last=1)
        assert (await good.health()).condition is Condition.GOOD
        await good.close()
        said = []
        for password in (None, SecretStr("wrong-sesame")):
            memory = RedisMemory(RedisSettings(url=url, password=password))
            with pytest.raises(ProfileError, match=r"refuses us .* correct username and password") as caught:
                await recalled(memory)
            said += [str(caught.value), (await memory.health()).reason, repr(caught.value.__cause__)]
            await memory.close()
        assert "sesame" not in " ".join([*said, caplog.text])

    with redis_server("--requirepass", "open-sesame", folder=tmp_path) as server:
        anyio.run(work, server.url)


def test_a_full_server_is_told_and_half_of_a_batch_is_not_there(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        await redis.config_set("maxmemory", "1mb")
        with pytest.raises(NotReadyError, match="is full"):
            await fold(memory, first=11, last=11)
        await redis.config_set("maxmemory", "200mb")
        assert (await memory.info(SPACE)).applied == position(10)
        assert (await memory.info(SPACE)).entries == 10

    run(url, work)


def test_keys_of_something_else_are_left_alone(url: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await redis.set("coinswarm:{swarm:state.1:8}:v", "mine")
        with pytest.raises(DataError, match="keeps something else under the keys of this space"):
            await fold(memory, last=1)
        assert await redis.get("coinswarm:{swarm:state.1:8}:v") == b"mine"

    run(url, work)


async def old_redis(stream: SocketStream, version: bytes, vector_sets: bytes) -> None:
    """Answers as an older Redis does, as far as we ask.

    :param vector_sets: what it answers where it is asked for a vector set's.
    """
    info = b"# Server\r\nredis_version:" + version + b"\r\n"
    async with stream:
        while True:
            try:
                asked = await stream.receive()
            except anyio.EndOfStream:
                return
            for command in asked.split(b"*")[1:]:
                if b"INFO" in command:
                    await stream.send(b"$%d\r\n%s\r\n" % (len(info), info))
                elif b"VCARD" in command and version.startswith(b"8"):
                    await stream.send(b":0\r\n")
                elif b"EVALSHA" in command:
                    await stream.send(b"-ERR Unknown Redis command called from script script: 1, on @user_script:2\r\n")
                elif b"CLIENT" in command or b"SELECT" in command or b"MULTI" in command or b"HMGET" in command:
                    await stream.send(b"+OK\r\n")
                elif b"EXEC" in command:
                    await stream.send(b"*3\r\n*4\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n:0\r\n" + vector_sets)
                else:
                    await stream.send(vector_sets)


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        (b"7.2.4", b"-ERR unknown command 'VCARD', with args beginning with: 'x'\r\n"),
        (b"8.0.3", b"-ERR syntax error in VSIM command\r\n"),
    ],
)
def test_a_server_without_vector_sets_that_suffice_is_refused_with_the_version_it_needs(
    version: bytes, answer: bytes
) -> None:
    async def work() -> list[CoinswarmError | str]:
        said: list[CoinswarmError | str] = []
        async with AsyncExitStack() as stack, anyio.create_task_group() as group:
            listener = await stack.enter_async_context(await anyio.create_tcp_listener(local_host="127.0.0.1"))
            group.start_soon(listener.serve, partial(old_redis, version=version, vector_sets=answer))
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django here
            memory = RedisMemory(RedisSettings(url=f"redis://127.0.0.1:{port}"))
            said.append((await memory.health()).reason)
            ones = np.ones(8, np.float32)
            calls = (memory.get(SPACE, "0" * 64), memory.recall(SPACE, ones, 5, LATE, ANY), fold(memory, last=1))
            for call in calls:
                with pytest.raises(NotReadyError) as caught:
                    await call
                said.append(str(caught.value))
            await memory.close()
            group.cancel_scope.cancel()
        return said

    for text in anyio.run(work):
        refused = f"is version {version.decode()} and has no vector sets that answer with attributes"
        assert f"{refused}: use Redis 8.2 or later" in str(text)


@pytest.mark.parametrize("text", ["no JSON", "7", "{}", '{"told": {}}', '{"told": 7}'])
def test_an_entry_that_something_else_has_written_is_told(url: str, text: str) -> None:
    async def work(memory: RedisMemory, redis: Redis) -> None:
        await fold(memory)
        key = keys(RedisSettings(url=url).prefix, SPACE)[0]
        await redis.execute_command("VSETATTR", key, told(1, first=3)[0].id, text)  # type: ignore[no-untyped-call]
        with pytest.raises(DataError, match="an entry of the index cannot be read") as caught:
            await memory.get(SPACE, told(1, first=3)[0].id)
        assert caught.value.remedy == "coinswarm memory rebuild folds the index anew"

    run(url, work)
