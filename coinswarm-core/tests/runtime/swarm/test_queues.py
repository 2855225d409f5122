"""Queues between tasks: bounded, in order, and nobody waits for ever."""

from __future__ import annotations

import anyio
import pytest

from coinswarm.runtime.swarm.queues import Inbox, Lane

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


async def test_a_lane_is_emptied_at_once_and_drops_the_oldest() -> None:
    lane: Lane[int] = Lane(3)
    for number in range(5):
        lane.put(number)
    assert (len(lane), lane.dropped) == (3, 2)
    assert await lane.take() == [2, 3, 4]
    taken: list[int] = []

    async def work() -> None:
        taken.extend(await lane.take())

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        lane.put(9)
    assert taken == [9]


async def test_answers_come_before_messages_and_need_no_room() -> None:
    inbox: Inbox[str] = Inbox(1)
    await inbox.hear("message")
    for word in ("first", "second"):
        inbox.answer(word)
    assert [await inbox.next() for _ in range(3)] == ["first", "second", "message"]


async def test_everybody_who_waits_for_room_gets_it() -> None:
    inbox: Inbox[int] = Inbox(1)
    await inbox.hear(0)
    async with anyio.create_task_group() as group:
        for number in range(1, 5):
            group.start_soon(inbox.hear, number)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(5):
            heard = {await inbox.next() for _ in range(5)}
    assert heard == set(range(5))
