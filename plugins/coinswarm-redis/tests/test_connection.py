"""Connections that rest: none is used again unless its last exchange ended with the whole answer, whatever ended it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import pytest
from redis import exceptions
from redis.asyncio import Redis

from coinswarm_redis.connection import Begin, Client, command
from coinswarm_redis.settings import RedisSettings
from coinswarm_testkit.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[Client, Redis], Awaitable[None]]

pytestmark = pytest.mark.usefixtures("redis_url")


def run(url: str, work: Work, **given: float) -> None:
    """Do some work with a client of ours and a plain one."""

    async def main() -> None:
        client, redis = Client(RedisSettings(url=url, **given)), Redis.from_url(url, protocol=2)
        try:
            await work(client, redis)
        finally:
            await client.close()
            await redis.aclose()

    anyio.run(main)


async def own(redis: Redis) -> set[str]:
    """The connections of the client, by their ids."""
    return {one["id"] for one in await redis.client_list() if one["name"] == "coinswarm"}


def test_one_after_the_other_takes_one_connection(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        for number in range(5):
            assert await client.ask(command("ECHO", number)) == b"%d" % number
            with pytest.raises(exceptions.ResponseError, match="unknown command"):
                await client.ask(command("NO-SUCH-COMMAND"))
        assert await client.ask(Begin.of("ECHO").then("b")) == b"b"
        assert len(await own(redis)) == 1

    run(url, work)


def test_what_is_asked_together_is_answered_together_and_refused_together(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        more = command("INCR", "a")
        assert await client.together(more, more, command("ECHO", b"\r\n")) == [1, 2, b"\r\n"]
        with pytest.raises(exceptions.ResponseError, match="unknown command"):
            await client.together(command("INCR", "a"), command("NO-SUCH-COMMAND"))
        await client.ask(command("SET", "text", "x"))
        with pytest.raises(exceptions.ResponseError, match="not an integer"):
            await client.together(command("ECHO", "c"), command("INCR", "text"), command("ECHO", "d"))
        assert await client.together(command("ECHO", "e"), command("GET", "a")) == [b"e", b"2"]
        numbers = range(2_500)
        assert await client.each([command("ECHO", number) for number in numbers]) == [b"%d" % one for one in numbers]
        with pytest.raises(exceptions.ResponseError, match="not an integer"):
            await client.each([command("INCR", "text"), command("NO-SUCH-COMMAND"), command("ECHO", "d")])
        assert await client.each([]) == []
        assert len(await own(redis)) == 1

    run(url, work)


async def many(client: Client, first: int, count: int = 30) -> None:
    """Questions one after the other, each of which must be given its own answer."""
    for number in range(first, first + count):
        assert await client.ask(command("ECHO", number)) == b"%d" % number
        assert await client.together(command("ECHO", -number), command("ECHO", "x")) == [b"%d" % -number, b"x"]


def test_tasks_at_once_are_each_given_their_own_answers(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        async with anyio.create_task_group() as group:
            for task in range(20):
                group.start_soon(many, client, 1_000 * task)
        assert len(await own(redis)) <= 3

    run(url, work, connections=3)


def test_who_is_cancelled_leaves_no_answer_to_the_next(url: str) -> None:
    """At whichever of its steps: before it is sent, while the server takes its time, or after half of the answers."""

    async def work(client: Client, redis: Redis) -> None:
        await client.ask(command("ECHO", "first"))
        (first,) = await own(redis)
        for steps in range(8):
            task = asyncio.create_task(client.together(command("ECHO", "old"), command("ECHO", "older")))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                assert await task == [b"old", b"older"]
            await many(client, 10 * steps, 3)
        task = asyncio.create_task(client.ask(command("BLPOP", "nothing", 0)))
        while not [one for one in await redis.client_list() if one["cmd"] == "blpop"]:
            await anyio.lowlevel.checkpoint()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await redis.rpush("nothing", "late")
        await many(client, 0)
        while first in await own(redis):  # it was hung up
            await anyio.lowlevel.checkpoint()

    run(url, work, connections=1)


def test_an_answer_that_comes_too_late_is_given_to_nobody(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        await many(client, 0)
        before = await own(redis)
        for _ in range(2):
            with pytest.raises(exceptions.TimeoutError, match=r"No answer within 0.2 s"):
                await client.ask(command("BLPOP", "nothing", 0))
        await redis.rpush("nothing", "late", "later")
        await many(client, 0)
        while before & await own(redis):  # they were hung up
            await anyio.lowlevel.checkpoint()

    run(url, work, answer_seconds=0.2)


def test_of_two_that_wait_the_one_that_is_late_is_told_and_the_other_is_not(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        late = asyncio.create_task(client.ask(command("BLPOP", "nothing", 0)))
        while not [one for one in await redis.client_list() if one["cmd"] == "blpop"]:
            await anyio.lowlevel.checkpoint()
        answered = 0
        while not late.done():
            await many(client, answered, 1)
            answered += 1
        with pytest.raises(exceptions.TimeoutError):
            await late
        assert answered > 0
        assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]

    run(url, work, answer_seconds=0.3)


def test_a_connection_that_the_server_hung_up_while_it_rested_is_not_used(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        async with anyio.create_task_group() as group:
            for task in range(4):
                group.start_soon(many, client, 1_000 * task, 3)
        before = await own(redis)
        assert len(before) > 1
        await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
        while await own(redis):
            await anyio.lowlevel.checkpoint()
        await many(client, 0)
        assert not before & await own(redis)

    run(url, work, retries=0)


def test_a_server_that_is_started_again_is_connected_to_again() -> None:
    async def work() -> None:
        with redis_server("--maxmemory", "100mb") as server:
            client = Client(RedisSettings(url=server.url))
            await many(client, 0, 2)
        with pytest.raises(exceptions.ConnectionError):
            await client.ask(command("ECHO", "x"))
        with redis_server("--maxmemory", "100mb", port=int(server.url.rpartition(":")[2])):
            await many(client, 0, 2)
            await client.close()

    anyio.run(work)


def test_what_is_under_way_when_it_is_closed_ends_and_leaves_no_connection(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        waiting = asyncio.create_task(client.ask(command("BLPOP", "list", 0)))
        while not [one for one in await redis.client_list() if one["cmd"] == "blpop"]:
            await anyio.lowlevel.checkpoint()
        await client.close()
        await redis.rpush("list", "pushed")
        assert await waiting == [b"list", b"pushed"]
        while await own(redis):
            await anyio.lowlevel.checkpoint()

    run(url, work)


def test_who_cannot_connect_in_time_is_told(url: str) -> None:
    async def work(client: Client, redis: Redis) -> None:
        await redis.execute_command("CLIENT", "PAUSE", 60_000, "ALL")  # type: ignore[no-untyped-call]
        with pytest.raises(exceptions.TimeoutError, match=r"Not connected within 0.1 s"):
            await client.ask(command("ECHO", "x"))

    run(url, work, connect_seconds=0.1)
