"""A hand does one thing after the other, tells what came of each, and ends when it is let go."""

from __future__ import annotations

import threading

import anyio
import pytest

from coinswarm.runtime.swarm.hand import Hand

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "left hand"]


async def test_it_does_one_thing_after_the_other_in_one_thread() -> None:
    hand, done = Hand("left hand"), []
    assert threads() == []

    async def ask(number: int) -> None:
        def work() -> int:
            done.append((number, threading.current_thread().name))
            return number

        assert await hand.do(work) == number

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(ask, number)
    assert done == [(number, "left hand") for number in range(20)]
    await hand.rest()
    left = await hand.do(threading.current_thread)
    await hand.rest()
    left.join(5)
    assert threads() == []


async def test_what_it_raises_is_raised_where_it_was_asked_for() -> None:
    hand = Hand("left hand")

    def fail() -> None:
        message = "no space left"
        raise OSError(message)

    with pytest.raises(OSError, match="no space left"):
        await hand.do(fail)
    assert await hand.do(lambda: 3) == 3
    await hand.rest()


async def test_what_nobody_waits_for_any_more_is_done_before_it_rests() -> None:
    hand, go, done = Hand("left hand"), threading.Event(), []

    def work() -> None:
        go.wait(60)
        done.append("written")

    async with anyio.create_task_group() as group:
        group.start_soon(hand.do, work)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert done == []
    go.set()
    await hand.rest()
    assert done == ["written"]
